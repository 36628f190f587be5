/** Every message between window, main process and engine process. A closed list. */

/** Window → main: "give me a port to the engine", with a nonce. Main → window: the port, with that nonce. */
export const ENGINE_PORT = 'engine-port';

/** Main → engine, over the utility process's own port. */
export type ToEngine =
  | { readonly t: 'start'; readonly options: EngineStart }
  /** Comes with one port: a client to serve. */
  | { readonly t: 'client' }
  | { readonly t: 'stop' };

/** Engine → main. */
export type FromEngine =
  | { readonly t: 'ready' }
  | { readonly t: 'failed'; readonly code: string; readonly message: string; readonly remedy: string }
  | { readonly t: 'stopped' };

/** What the main process knows and the engine does not: the utility process has no app paths. */
export interface EngineStart {
  readonly dataFolder: string;
  readonly configFile: string;
  readonly pluginFolders: readonly string[];
  readonly control: { readonly host?: string; readonly port?: number } | undefined;
}

/** Whether something that came over a port is a message to the engine. */
export function isToEngine(value: unknown): value is ToEngine {
  return (
    typeof value === 'object' &&
    value !== null &&
    't' in value &&
    (value.t === 'start' || value.t === 'client' || value.t === 'stop')
  );
}

/** Whether something that came over a port is a message from the engine. */
export function isFromEngine(value: unknown): value is FromEngine {
  return (
    typeof value === 'object' &&
    value !== null &&
    't' in value &&
    (value.t === 'ready' || value.t === 'failed' || value.t === 'stopped')
  );
}
