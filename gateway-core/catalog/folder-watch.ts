import { watch, type FSWatcher } from 'node:fs';

export interface FolderWatchOptions {
  readonly folders: readonly string[];
  /** Quiet time after the last change before `onChange`. */
  readonly debounceMs: number;
  /** `onChange` also comes this often without a notice: links and network folders give none. */
  readonly rescanMs: number;
  onChange(): void;
  /** A folder cannot be watched; the re-scan covers it. */
  onFault(folder: string, error: unknown): void;
}

/** Says when something below the folders may have changed. Keeps no process alive. Call the result to end it. */
export function watchFolders(options: FolderWatchOptions): () => void {
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => options.onChange(), options.debounceMs);
    timer.unref();
  };
  for (const folder of options.folders) {
    try {
      const watcher = watch(folder, { recursive: true, persistent: false }, soon);
      watcher.on('error', (error) => options.onFault(folder, error));
      watchers.push(watcher);
    } catch (error) {
      options.onFault(folder, error);
    }
  }
  const rescan = setInterval(() => options.onChange(), options.rescanMs);
  rescan.unref();
  return () => {
    clearTimeout(timer);
    clearInterval(rescan);
    for (const watcher of watchers) watcher.close();
  };
}
