import { CodedError } from '../../gateway-core/engine/error.ts';
import type { CallName, StreamName } from '../../gateway-core/protocol/contract.ts';
import type {
  CallHandlers,
  ContractHandlers,
  StreamHandlers,
  StreamOut,
} from '../../gateway-core/protocol/handlers.ts';
import { callSchemas, streamSchemas } from '../../gateway-core/control/parameters.ts';
import type { GatewayEvent, LogLine } from '../../gateway-core/protocol/model.ts';

/** A stand-in engine whose few calls and streams do what the contract suite needs to see. */
export interface TestEngine extends ContractHandlers {
  /** Names of calls that saw their signal abort. */
  readonly aborted: string[];
  /** Streams running now, and how many were ever stopped. */
  readonly running: Set<StreamOut<unknown>>;
  stopped: number;
  /** Calls not answered yet. */
  pending: number;
  epoch: string;
}

export function numbered(id: number): GatewayEvent {
  return {
    id,
    time: 0,
    severity: 'info',
    source: 'engine',
    type: 'test',
    version: 1,
    project: 'default',
    subject: '',
    message: '',
    code: '',
    remedy: '',
    details: {},
  };
}

export function logged(message: string): LogLine {
  return { time: 0, level: 'info', instance: 'a', message, fields: {} };
}

/**
 * `flow.pause`: answers, or throws by name. `flow.drain`: waits until aborted. `config.version`: a
 * text of that many characters. `config.validate`: says how much text came. Streams: `events`
 * numbers its items as fast as it may, `logs` sends 64 KiB lines as fast as it may.
 */
export function testEngine(): TestEngine {
  const engine: TestEngine = {
    engineVersion: '0.0.0-test',
    epoch: 'first',
    aborted: [],
    running: new Set(),
    stopped: 0,
    pending: 0,
    calls: {
      ...(Object.fromEntries(
        (Object.keys(callSchemas) as CallName[]).map((name) => [
          name,
          () => Promise.reject(new Error(`${name} is not part of this test`)),
        ]),
      ) as unknown as CallHandlers),
      'flow.pause': async ({ name }) => {
        await Promise.resolve();
        if (name === 'coded')
          throw new CodedError('PB_CONFIG_CONFLICT', { running: 3, base: 2 }, { place: 'startup.yaml:3:1' });
        if (name === 'plain') throw new Error('out of the blue');
        if (name === 'cyclic') {
          const details: Record<string, unknown> = {};
          details['self'] = details;
          throw new CodedError('PB_INTERNAL', details);
        }
        return {};
      },
      'flow.resume': () => {
        throw new Error('not even a promise');
      },
      'flow.drain': ({ name }, _session, signal) => {
        engine.pending++;
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            engine.aborted.push(name);
            engine.pending--;
            reject(new Error('aborted'));
          });
        });
      },
      'config.version': async ({ version }) => ({
        version,
        time: 0,
        origin: 'file',
        comment: '',
        yaml: 'y'.repeat(version),
      }),
      'config.validate': async ({ yaml }) => ({
        problems: [{ severity: 'warning', code: 'LENGTH', message: String(yaml.length), remedy: '', path: [] }],
      }),
      'status.get': async () => ({ cannot: 1n }) as never,
    },
    streams: {
      ...(Object.fromEntries(
        (Object.keys(streamSchemas) as StreamName[]).map((name) => [
          name,
          () => {
            throw new Error(`${name} is not part of this test`);
          },
        ]),
      ) as unknown as StreamHandlers),
      events: (_params, out) => {
        let next = 1;
        return pump(engine, out, () => numbered(next++));
      },
      logs: ({ instance }, out) => {
        if (instance === 'ends') {
          out.send(logged('the only one'));
          out.end();
          return () => engine.stopped++;
        }
        if (instance === 'fails') {
          out.end(new CodedError('PB_CONFIG_CONFLICT', { running: 1, base: 0 }));
          return () => engine.stopped++;
        }
        const line = logged('l'.repeat(64 * 1024));
        return pump(engine, out, () => line);
      },
    },
  };
  return engine;
}

/** Sends whenever it may: the greediest producer there can be. */
function pump<Item>(engine: TestEngine, out: StreamOut<Item>, next: () => Item): () => void {
  const go = (): void => {
    // `next` only after `ready`: an item made and refused would be a gap.
    while (out.ready) out.send(next());
  };
  const key = out as StreamOut<unknown>;
  engine.running.add(key);
  out.onReady(go);
  go();
  return () => {
    engine.running.delete(key);
    engine.stopped++;
  };
}
