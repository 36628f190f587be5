/**
 * Keeps one engine process running: starts it, hands clients' ports to it, restarts it with back-off when it
 * dies, and gives up, saying why, when that does not help. Knows no Electron: the process is given to it.
 */
import { CodedError } from '../../gateway-core/engine/error.ts';
import { pause, type BackOff } from '../../gateway-core/protocol/back-off.ts';
import type { EngineStart, FromEngine, ToEngine } from './channels.ts';

export interface EngineProcess<Port> {
  post(message: ToEngine, ports?: readonly Port[]): void;
  kill(): void;
  onMessage(listener: (message: FromEngine) => void): void;
  /** Called once, after `kill` too. */
  onExit(listener: (code: number) => void): void;
}

export type EngineState =
  | { readonly is: 'idle' | 'starting' | 'running' | 'stopping' | 'stopped' }
  | { readonly is: 'waiting'; readonly attempt: number; readonly ms: number }
  | { readonly is: 'down'; readonly reason: string; readonly remedy: string };

export interface SupervisorOptions<Port> {
  readonly spawn: () => EngineProcess<Port>;
  readonly start: EngineStart;
  readonly onState?: (state: EngineState) => void;
  readonly backOff?: BackOff;
  /** Deaths in a row after which it stays down; a run of `settledMs` ends the row. */
  readonly limit?: number;
  readonly settledMs?: number;
  /** How long a stop may drain before the process is killed. */
  readonly stopMs?: number;
  readonly now?: () => number;
  readonly random?: () => number;
}

interface Waiting<Port> {
  readonly port: Port;
  readonly resolve: () => void;
  readonly reject: (error: CodedError) => void;
}

/** Requests for a port that may wait for the engine; more come only from a page gone wild. */
const MOST_WAITING = 16;

export class EngineSupervisor<Port> {
  private readonly options: Required<SupervisorOptions<Port>>;
  private readonly waiting: Waiting<Port>[] = [];
  private process: EngineProcess<Port> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private deaths = 0;
  private runningSince = 0;
  private stopped: (() => void)[] = [];
  private current: EngineState = { is: 'idle' };

  constructor(options: SupervisorOptions<Port>) {
    this.options = {
      onState: () => undefined,
      backOff: { min: 250, max: 10_000 },
      limit: 5,
      settledMs: 60_000,
      stopMs: 15_000,
      now: Date.now,
      random: Math.random,
      ...options,
    };
  }

  get state(): EngineState {
    return this.current;
  }

  /** Starts it, also again once it is down. Does nothing while it runs or is being stopped. */
  start(): void {
    if (this.current.is !== 'idle' && this.current.is !== 'down') return;
    this.deaths = 0;
    this.launch();
  }

  /**
   * Hands a client's port to the engine; while it starts or restarts, as soon as it runs.
   * Rejects with PB_ENGINE_DOWN when it is down or stopped, then or while waiting.
   */
  connect(port: Port): Promise<void> {
    if (this.current.is === 'running') {
      this.process?.post({ t: 'client' }, [port]);
      return Promise.resolve();
    }
    if (this.current.is === 'down') return Promise.reject(engineDown(this.current.reason));
    if (this.current.is === 'stopping' || this.current.is === 'stopped')
      return Promise.reject(engineDown('it is being stopped'));
    if (this.waiting.length >= MOST_WAITING) this.waiting.shift()?.reject(engineDown('too many wait for it'));
    return new Promise((resolve, reject) => this.waiting.push({ port, resolve, reject }));
  }

  /** Lets it drain and ends it; resolves when the process is gone. Can be called twice. */
  stop(): Promise<void> {
    if (this.process === undefined) {
      clearTimeout(this.timer);
      this.rejectWaiting('it is being stopped');
      this.enter({ is: 'stopped' });
      return Promise.resolve();
    }
    const { process } = this;
    const gone = new Promise<void>((resolve) => this.stopped.push(resolve));
    if (this.current.is !== 'stopping') {
      this.rejectWaiting('it is being stopped');
      this.enter({ is: 'stopping' });
      process.post({ t: 'stop' });
      this.timer = setTimeout(() => process.kill(), this.options.stopMs);
    }
    return gone;
  }

  private launch(): void {
    this.enter({ is: 'starting' });
    const process = this.options.spawn();
    this.process = process;
    let failure: Extract<FromEngine, { t: 'failed' }> | undefined;
    process.onMessage((message) => {
      if (this.process !== process) return;
      if (message.t === 'ready' && this.current.is === 'starting') this.ready(process);
      if (message.t === 'failed') {
        failure = message;
        process.kill();
      }
    });
    process.onExit((code) => {
      if (this.process === process) this.exited(code, failure);
    });
    process.post({ t: 'start', options: this.options.start });
  }

  private ready(process: EngineProcess<Port>): void {
    this.runningSince = this.options.now();
    this.enter({ is: 'running' });
    for (const { port, resolve } of this.waiting.splice(0)) {
      process.post({ t: 'client' }, [port]);
      resolve();
    }
  }

  private exited(code: number, failure: Extract<FromEngine, { t: 'failed' }> | undefined): void {
    const ran = this.current.is === 'running' ? this.options.now() - this.runningSince : 0;
    this.process = undefined;
    clearTimeout(this.timer);
    if (this.current.is === 'stopping') {
      this.enter({ is: 'stopped' });
      for (const resolve of this.stopped.splice(0)) resolve();
      return;
    }
    // It said itself why it can't start: the next try would meet the same.
    if (failure !== undefined) return this.down(`${failure.code}: ${failure.message}`, failure.remedy);
    this.deaths = ran >= this.options.settledMs ? 1 : this.deaths + 1;
    if (this.deaths >= this.options.limit)
      return this.down(`its process ended ${this.deaths} times in a row, last with code ${code}`, '');
    const ms = pause(this.options.backOff, this.deaths, this.options.random());
    this.enter({ is: 'waiting', attempt: this.deaths, ms });
    this.timer = setTimeout(() => this.launch(), ms);
  }

  private down(reason: string, remedy: string): void {
    this.enter({ is: 'down', reason, remedy });
    this.rejectWaiting(reason);
  }

  private rejectWaiting(reason: string): void {
    for (const { reject } of this.waiting.splice(0)) reject(engineDown(reason));
  }

  private enter(state: EngineState): void {
    this.current = state;
    this.options.onState(state);
  }
}

function engineDown(reason: string): CodedError {
  return new CodedError('PB_ENGINE_DOWN', { reason });
}
