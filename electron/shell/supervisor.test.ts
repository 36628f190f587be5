import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { FromEngine, ToEngine } from './channels.ts';
import { EngineSupervisor, type EngineProcess, type EngineState, type SupervisorOptions } from './supervisor.ts';

const start = { dataFolder: '/d', configFile: '', pluginFolders: [], control: undefined };

class FakeEngine implements EngineProcess<string> {
  readonly got: { readonly message: ToEngine; readonly ports: readonly string[] }[] = [];
  killed = false;
  say: (message: FromEngine) => void = () => undefined;
  exit: (code: number) => void = () => undefined;
  post(message: ToEngine, ports: readonly string[] = []): void {
    this.got.push({ message, ports });
  }
  kill(): void {
    if (this.killed) return;
    this.killed = true;
    this.exit(143);
  }
  onMessage(listener: (message: FromEngine) => void): void {
    this.say = listener;
  }
  onExit(listener: (code: number) => void): void {
    this.exit = listener;
  }
}

function supervise(options: Partial<SupervisorOptions<string>> = {}) {
  const engines: FakeEngine[] = [];
  const states: EngineState[] = [];
  const supervisor = new EngineSupervisor<string>({
    spawn: () => {
      const engine = new FakeEngine();
      engines.push(engine);
      return engine;
    },
    start,
    onState: (state) => states.push(state),
    backOff: { min: 100, max: 1_000 },
    random: () => 1,
    limit: 3,
    settledMs: 60_000,
    ...options,
  });
  const engine = (): FakeEngine => engines.at(-1) as FakeEngine;
  return { supervisor, engines, states, engine };
}

describe('EngineSupervisor', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('hands over ports at once while it runs, and those that came earlier when it does', async () => {
    const { supervisor, engine } = supervise();
    supervisor.start();
    const early = supervisor.connect('early');
    expect(engine().got).toEqual([{ message: { t: 'start', options: start }, ports: [] }]);
    engine().say({ t: 'ready' });
    await early;
    await supervisor.connect('late');
    expect(engine().got.slice(1)).toEqual([
      { message: { t: 'client' }, ports: ['early'] },
      { message: { t: 'client' }, ports: ['late'] },
    ]);
  });

  it('restarts with growing pauses, and serves who waited meanwhile', async () => {
    const { supervisor, engines, engine } = supervise();
    supervisor.start();
    engine().say({ t: 'ready' });
    engine().exit(1);
    expect(supervisor.state).toEqual({ is: 'waiting', attempt: 1, ms: 100 });
    const waiting = supervisor.connect('p');
    vi.advanceTimersByTime(99);
    expect(engines).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(engines).toHaveLength(2);
    engine().exit(1);
    expect(supervisor.state).toEqual({ is: 'waiting', attempt: 2, ms: 200 });
    vi.advanceTimersByTime(200);
    engine().say({ t: 'ready' });
    await waiting;
    expect(engine().got.at(-1)).toEqual({ message: { t: 'client' }, ports: ['p'] });
  });

  it('stays down after the limit, rejects who waits and who comes, and starts anew when asked', async () => {
    const { supervisor, engines, engine } = supervise();
    supervisor.start();
    const waiting = supervisor.connect('p');
    const rejected = expect(waiting).rejects.toMatchObject({ code: 'PB_ENGINE_DOWN' });
    for (const ms of [100, 200, 0]) {
      engine().exit(9);
      vi.advanceTimersByTime(ms);
    }
    await rejected;
    expect(supervisor.state).toMatchObject({
      is: 'down',
      reason: expect.stringContaining('3 times in a row, last with code 9'),
    });
    await expect(supervisor.connect('q')).rejects.toMatchObject({ code: 'PB_ENGINE_DOWN' });
    vi.advanceTimersByTime(100_000);
    expect(engines).toHaveLength(3);
    supervisor.start();
    expect(supervisor.state).toEqual({ is: 'starting' });
  });

  it('forgives deaths that lie far apart', () => {
    const { supervisor, engine } = supervise();
    supervisor.start();
    for (let death = 0; death < 10; death++) {
      engine().say({ t: 'ready' });
      vi.advanceTimersByTime(60_000);
      engine().exit(1);
      expect(supervisor.state).toMatchObject({ is: 'waiting', attempt: 1 });
      vi.advanceTimersByTime(100);
    }
  });

  it('does not try again what the engine itself says is of no use', () => {
    const { supervisor, engines, engine } = supervise();
    supervisor.start();
    engine().say({ t: 'failed', code: 'PB_DATA_LOCKED', message: 'in use', remedy: 'stop the other' });
    expect(supervisor.state).toEqual({ is: 'down', reason: 'PB_DATA_LOCKED: in use', remedy: 'stop the other' });
    vi.advanceTimersByTime(100_000);
    expect(engines).toHaveLength(1);
  });

  it('stops by asking, and by force when that takes too long', async () => {
    const { supervisor, engine, engines } = supervise({ stopMs: 5_000 });
    supervisor.start();
    engine().say({ t: 'ready' });
    const both = Promise.all([supervisor.stop(), supervisor.stop()]);
    expect(engine().got.filter(({ message }) => message.t === 'stop')).toHaveLength(1);
    expect(engine().killed).toBe(false);
    vi.advanceTimersByTime(5_000);
    expect(engine().killed).toBe(true);
    await both;
    expect(supervisor.state).toEqual({ is: 'stopped' });
    await expect(supervisor.connect('p')).rejects.toMatchObject({ code: 'PB_ENGINE_DOWN' });
    vi.advanceTimersByTime(100_000);
    expect(engines).toHaveLength(1);
  });

  it('can be stopped during a pause', async () => {
    const { supervisor, engine, engines } = supervise();
    supervisor.start();
    engine().exit(1);
    await supervisor.stop();
    vi.advanceTimersByTime(100_000);
    expect(engines).toHaveLength(1);
  });

  it('lets no more than a few wait', async () => {
    const { supervisor } = supervise();
    supervisor.start();
    const first = expect(supervisor.connect('0')).rejects.toMatchObject({ code: 'PB_ENGINE_DOWN' });
    for (let n = 1; n <= 16; n++) supervisor.connect(String(n)).catch(() => undefined);
    await first;
  });
});
