/** The canvas and, beside it, the inspector. Nodes and edges hold no figures: each reads its own. */
import '@xyflow/react/dist/base.css';
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconFocusCentered, IconMinus, IconPlus } from '@tabler/icons-react';
import {
  Background,
  MiniMap,
  Panel,
  ReactFlow,
  ReactFlowProvider,
  useReactFlow,
  type Edge,
  type Node,
} from '@xyflow/react';
import { useCallback, useEffect, useMemo, useRef, type FocusEvent, type KeyboardEvent, type ReactNode } from 'react';
import type { Topology, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { FlowEdge } from './flow-edge.tsx';
import { InstanceNode, LooseLabel } from './instance-node.tsx';
import { buildGraph, neighbour, shapeKey, type GraphEdge } from './graph.ts';
import { Inspector } from './inspector.tsx';
import { layOut, NODE_HEIGHT, NODE_WIDTH, type Point } from './layout.ts';
import styles from './topology.module.css';
import { apart, labelPoint } from './path.ts';

export type CanvasNode = Node<{ readonly node: TopologyNode }, 'instance'> | Node<Record<string, never>, 'loose'>;
export type CanvasEdge = Edge<
  { readonly edge: GraphEdge; readonly points: readonly Point[]; readonly label: Point },
  'flow'
>;

const NODE_TYPES = { instance: InstanceNode, loose: LooseLabel };
const EDGE_TYPES = { flow: FlowEdge };
/** Smaller than this nothing can be read: then the first sight is the top, and Fit shows the whole. */
const LEGIBLE = 0.5;
const FIT = { padding: 0.12, maxZoom: 1.1, minZoom: 0.1 };
const ARROWS = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'] as const;
/** From here on a map of the whole helps. */
const MAP_FROM = 24;

export function TopologyView({ topology, stale }: { topology: Topology; stale: boolean }) {
  return (
    <ReactFlowProvider>
      <div className={styles.page}>
        <h1 className="visually-hidden">{texts.topology.title}</h1>
        <Canvas topology={topology} stale={stale} />
        <Inspector topology={topology} />
      </div>
    </ReactFlowProvider>
  );
}

function Canvas({ topology, stale }: { topology: Topology; stale: boolean }) {
  const t = texts.topology;
  const url = useUrlState();
  const flow = useReactFlow();
  const selected = url.get('select');
  const selectedEdge = url.get('edge');
  const box = useRef<HTMLDivElement>(null);

  const graph = useMemo(() => buildGraph(topology), [topology]);
  const shape = shapeKey(graph);
  const layout = useMemo(
    () => layOut(graph.nodes, graph.edges),
    // The same shape keeps its picture, whatever else changed about it.
    [shape], // eslint-disable-line react-hooks/exhaustive-deps
  );

  const nodes = useMemo<CanvasNode[]>(() => {
    const at = (name: string): Point => layout.places.get(name) ?? { x: 0, y: 0 };
    const size = { width: NODE_WIDTH, height: NODE_HEIGHT };
    const fixed = { draggable: false, focusable: false, connectable: false };
    const instances = graph.nodes.map((node): CanvasNode => ({
      id: node.name,
      type: 'instance',
      position: at(node.name),
      selected: node.name === selected,
      data: { node },
      ...size,
      ...fixed,
    }));
    // In the order of the eye: Tab goes column by column.
    instances.sort((a, b) => a.position.x - b.position.x || a.position.y - b.position.y);
    if (layout.looseY === undefined) return instances;
    return [
      ...instances,
      {
        id: ' loose',
        type: 'loose',
        position: { x: 0, y: layout.looseY },
        data: {},
        selectable: false,
        width: 300,
        height: 20,
        ...fixed,
      },
    ];
  }, [graph, layout, selected]);

  const edges = useMemo<CanvasEdge[]>(() => {
    const ways = graph.edges.map((edge) => {
      const from = layout.places.get(edge.from) ?? { x: 0, y: 0 };
      const to = layout.places.get(edge.to) ?? { x: 0, y: 0 };
      return [
        { x: from.x + NODE_WIDTH, y: from.y + NODE_HEIGHT / 2 },
        ...(layout.bends.get(edge.id) ?? []),
        { x: to.x, y: to.y + NODE_HEIGHT / 2 },
      ];
    });
    const labels = apart(ways.map(labelPoint));
    return graph.edges.map((edge, index) => ({
      id: edge.id,
      source: edge.from,
      target: edge.to,
      type: 'flow' as const,
      selected: `${edge.from}>${edge.to}` === selectedEdge,
      focusable: false,
      data: { edge, points: ways[index] ?? [], label: labels[index] ?? { x: 0, y: 0 } },
    }));
  }, [graph, layout, selectedEdge]);

  /** The operator chose what to look at: from then on only they move the canvas. */
  const moved = useRef(false);
  const fit = useCallback(() => {
    moved.current = true;
    void flow.fitView(FIT);
  }, [flow]);
  const arrive = useCallback(() => {
    const frame = box.current?.getBoundingClientRect();
    if (frame === undefined) return;
    const whole = Math.min(frame.width / layout.width, frame.height / layout.height);
    if (whole >= LEGIBLE) void flow.fitView(FIT);
    else {
      const zoom = Math.max(LEGIBLE, Math.min(0.9, (frame.width * 0.94) / layout.width));
      void flow.setViewport({ x: Math.max(20, (frame.width - layout.width * zoom) / 2), y: 64, zoom });
    }
  }, [flow, layout]);
  useEffect(() => {
    if (box.current === null) return;
    const observer = new ResizeObserver(() => {
      if (!moved.current) requestAnimationFrame(arrive);
    });
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [arrive]);
  useEffect(() => {
    moved.current = false;
    const frame = requestAnimationFrame(arrive);
    return () => cancelAnimationFrame(frame);
  }, [arrive]);

  const zoom = (step: () => Promise<boolean>): void => {
    moved.current = true;
    void step();
  };

  const set = url.set;
  const select = useCallback((name: string) => set({ select: name, edge: undefined }), [set]);
  const selectEdge = useCallback(
    (edge: GraphEdge) => set({ edge: `${edge.from}>${edge.to}`, select: undefined }),
    [set],
  );

  const walk = (event: KeyboardEvent): void => {
    const key = ARROWS.find((arrow) => arrow === event.key);
    const from = event.target instanceof HTMLElement ? event.target.dataset['node'] : undefined;
    if (key === undefined || from === undefined) return;
    event.preventDefault();
    const next = neighbour(layout.places, from, key);
    if (next === undefined) return;
    const target = box.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(next)}"]`);
    target?.focus({ preventScroll: true });
  };

  /** Moves the canvas if a node is not wholly on the screen. */
  const bring = useCallback(
    (name: string) => {
      const place = layout.places.get(name);
      const frame = box.current?.getBoundingClientRect();
      if (place === undefined || frame === undefined) return;
      const at = flow.flowToScreenPosition(place);
      const end = flow.flowToScreenPosition({ x: place.x + NODE_WIDTH, y: place.y + NODE_HEIGHT });
      if (at.x >= frame.left && at.y >= frame.top && end.x <= frame.right && end.y <= frame.bottom) return;
      const zoom = Math.max(flow.getZoom(), 0.7);
      void flow.setCenter(place.x + NODE_WIDTH / 2, place.y + NODE_HEIGHT / 2, { zoom });
    },
    [flow, layout],
  );

  // The inspector takes room from the canvas, perhaps where the node was.
  useEffect(() => {
    if (selected === '') return;
    const frame = requestAnimationFrame(() => bring(selected));
    return () => cancelAnimationFrame(frame);
  }, [selected, bring]);

  /** What has the focus must be seen. */
  const reveal = (event: FocusEvent): void => {
    const name = event.target instanceof HTMLElement ? event.target.dataset['node'] : undefined;
    if (name !== undefined && event.target.matches(':focus-visible')) bring(name);
  };

  return (
    <div
      ref={box}
      className={styles.canvas}
      data-stale={stale}
      role="region"
      aria-label={t.canvas}
      onKeyDown={walk}
      onFocus={reveal}
    >
      <ReactFlow<CanvasNode, CanvasEdge>
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        minZoom={0.1}
        maxZoom={2}
        proOptions={{ hideAttribution: true }}
        onMoveStart={(event) => {
          if (event !== null) moved.current = true;
        }}
        onNodeClick={(_event, node) => {
          if (node.type === 'instance') select(node.id);
        }}
        onEdgeClick={(_event, edge) => {
          if (edge.data !== undefined) selectEdge(edge.data.edge);
        }}
        onPaneClick={() => set({ select: undefined, edge: undefined })}
      >
        <Background gap={22} size={1} color="var(--line-strong)" />
        <Panel position="top-left">
          <div className={styles.tools}>
            <Tool label={t.fit} run={fit}>
              <IconFocusCentered size={16} />
            </Tool>
            <Tool label={t.zoomIn} run={() => zoom(flow.zoomIn)}>
              <IconPlus size={16} />
            </Tool>
            <Tool label={t.zoomOut} run={() => zoom(flow.zoomOut)}>
              <IconMinus size={16} />
            </Tool>
          </div>
        </Panel>
        {graph.nodes.length > MAP_FROM && (
          <MiniMap
            pannable
            zoomable
            bgColor="var(--panel)"
            maskColor="color-mix(in srgb, var(--ground) 65%, transparent)"
            nodeColor="var(--line-strong)"
          />
        )}
      </ReactFlow>
    </div>
  );
}

function Tool({ label, run, children }: { label: string; run: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={30} aria-label={label} onClick={run}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
