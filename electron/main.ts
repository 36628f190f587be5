/** The desktop app, in order: command line, one instance, scheme, engine, window. Composition only. */
import { app, BrowserWindow, dialog, type MessagePortMain } from 'electron';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../gateway-core/cli/connect.ts';
import { registerAppScheme, serveAppScheme } from './binding/app-protocol.ts';
import { openWindow } from './binding/app-window.ts';
import { spawnEngine } from './binding/engine-process.ts';
import { serveEnginePorts } from './binding/engine-ports.ts';
import { parseAppCommand } from './shell/command-line.ts';
import { EngineSupervisor } from './shell/supervisor.ts';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const command = parseAppCommand(process.argv, app.isPackaged);

if (command.mode === 'cli') {
  const { main } = await import('../gateway-core/cli/main.ts');
  await main(command.args);
  app.exit(Number(process.exitCode ?? 0));
} else if (!app.requestSingleInstanceLock({ dataFolder: command.dataFolder })) {
  app.quit();
} else {
  registerAppScheme();
  await app.whenReady();
  serveAppScheme(path('../dist/renderer/'));
  const supervisor = new EngineSupervisor<MessagePortMain>({
    spawn: () => spawnEngine(path('./engine-entry.ts')),
    start: {
      dataFolder: command.dataFolder,
      configFile: command.configFile,
      pluginFolders: command.pluginFolders,
      control: command.control === '' ? undefined : parseAddress(command.control),
    },
    onState: (state) => {
      if (state.is === 'down')
        dialog.showErrorBox('The gateway is not running', [state.reason, state.remedy].filter(Boolean).join('\n\n'));
    },
  });
  serveEnginePorts(supervisor);
  supervisor.start();

  const show = (): void => {
    const [window] = BrowserWindow.getAllWindows();
    if (window === undefined) openWindow({ preload: path('../dist/electron/preload.cjs'), packaged: app.isPackaged });
    else window.focus();
  };
  app.on('second-instance', show);
  app.on('activate', show);
  app.on('window-all-closed', () => app.quit());
  let drained = false;
  app.on('before-quit', (event) => {
    if (drained) return;
    event.preventDefault();
    void supervisor.stop().then(() => {
      drained = true;
      app.quit();
    });
  });
  show();
}
