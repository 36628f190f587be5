import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { LiveBudget, TopologyNode } from '../../../gateway-core/protocol/model.ts';
import { useCommands } from '../../app/commands.ts';
import { useKeys } from '../../app/keys.ts';
import { texts } from '../../app/texts.ts';
import { useUrlState } from '../../app/url-state.ts';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Loading } from '../../components/loading.tsx';
import type { RowEntry } from '../../live/ring.ts';
import type { LiveTap } from '../../live/tap.ts';
import { CountsLine } from './counts-line.tsx';
import { Detail } from './detail.tsx';
import styles from './live-page.module.css';
import { RowList } from './row-list.tsx';
import { parseSelection, selectionOf } from './selection.ts';
import { Toolbar } from './toolbar.tsx';
import { useTap, useTapView } from './use-tap.ts';

export interface LiveViewProps {
  readonly nodes: readonly TopologyNode[];
  readonly node: TopologyNode;
  readonly where: string;
  readonly text: string;
  readonly budget: Partial<LiveBudget>;
  readonly round: number;
  /** Opens the tap anew. */
  readonly restart: () => void;
}

const t = texts.live;

export function LiveView(props: LiveViewProps) {
  const { node, where, text, budget, round } = props;
  const tap = useTap({ instance: node.name, where, text, budget }, round);
  const [paused, setPaused] = useState(false);
  return tap === undefined ? <Loading /> : <OpenView {...props} tap={tap} paused={paused} setPaused={setPaused} />;
}

/** The selected row, kept when it leaves the view: what one reads must not vanish. */
function useSelected(tap: LiveTap, selected: string, version: number): RowEntry | undefined {
  const [kept, setKept] = useState<{ readonly key: string; readonly entry: RowEntry }>();
  const selection = parseSelection(selected);
  if (selection === undefined) return undefined;
  if (kept?.key === selected) return kept.entry;
  // `version`: looked for again while it has not been found.
  const entry = version >= 0 ? tap.ring.at(tap.ring.find(selection.seq, selection.id)) : undefined;
  if (entry?.kind !== 'row') return undefined;
  setKept({ key: selected, entry });
  return entry;
}

interface OpenViewProps extends LiveViewProps {
  readonly tap: LiveTap;
  readonly paused: boolean;
  readonly setPaused: (paused: boolean) => void;
}

function OpenView({ nodes, node, where, text, budget, restart, tap, paused, setPaused }: OpenViewProps) {
  const view = useTapView(tap);
  const url = useUrlState();
  const { set } = url;
  const selected = url.get('row');
  const entry = useSelected(tap, selected, view.version);
  const [following, setFollowing] = useState(true);
  const filterField = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);

  // The view stands still while paused, and while someone looks back or at one row.
  const hold = paused || !following;
  useEffect(() => {
    if (hold) tap.hold();
    else tap.release();
  }, [tap, hold]);

  const select = useCallback(
    (row: RowEntry | undefined, replace = false) => {
      if (row !== undefined) setFollowing(false);
      set({ row: row === undefined ? undefined : selectionOf(row.row) }, { replace });
    },
    [set],
  );
  const toNewest = useCallback(() => {
    setPaused(false);
    setFollowing(true);
  }, [setPaused]);
  const togglePause = useCallback(() => {
    if (paused) toNewest();
    else setPaused(true);
  }, [paused, toNewest, setPaused]);
  const close = useCallback(() => {
    select(undefined);
    list.current?.focus();
  }, [select]);

  useKeys({
    '/': () => filterField.current?.focus(),
    Space: togglePause,
    Escape: () => {
      if (selected !== '') close();
    },
  });
  useCommands(
    'live',
    useMemo(
      () => [
        { id: 'live pause', group: t.title, label: paused ? t.resume : t.pause, keys: 'Space', run: togglePause },
        { id: 'live clear', group: t.title, label: t.clear, run: restart },
      ],
      [paused, togglePause, restart],
    ),
  );

  return (
    <>
      <Toolbar
        nodes={nodes}
        node={node}
        where={where}
        text={text}
        budget={budget}
        granted={view.budget}
        tap={tap}
        paused={paused}
        togglePause={togglePause}
        clear={restart}
        filterField={filterField}
      />
      <CountsLine view={view} filtered={where !== '' || text !== ''} paused={paused} name={node.name} />
      {view.error !== undefined ? (
        <ErrorPanel error={view.error} retry={restart} />
      ) : (
        <div className={styles.split}>
          <RowList
            ref={list}
            tap={tap}
            view={view}
            node={node}
            selected={entry}
            filtered={where !== '' || text !== ''}
            following={following && !paused}
            setFollowing={setFollowing}
            toNewest={toNewest}
            select={select}
          />
          {entry !== undefined && <Detail key={selected} entry={entry} tap={tap} node={node} close={close} />}
        </div>
      )}
    </>
  );
}
