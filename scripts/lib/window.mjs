/** Opens the panel in a browser window without tabs or address bar. What is decided here is pure; `scripts/start.mjs` acts. */
import { delimiter, join } from 'node:path';

/**
 * Whether a window can be shown at all.
 *
 * @param {{ platform: string, environment: Readonly<Record<string, string | undefined>> }} machine
 */
export function hasDisplay({ platform, environment }) {
  if (environment['PATCHBAY_WINDOW'] === 'none') return false;
  if (platform === 'darwin' || platform === 'win32') return true;
  return Boolean(environment['DISPLAY']) || Boolean(environment['WAYLAND_DISPLAY']);
}

const ON_PATH = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'microsoft-edge',
  'microsoft-edge-stable',
  'brave-browser',
];
const MAC = ['Google Chrome', 'Chromium', 'Microsoft Edge', 'Brave Browser'];
const WINDOWS = [
  'Google/Chrome/Application/chrome.exe',
  'Microsoft/Edge/Application/msedge.exe',
  'Chromium/Application/chrome.exe',
];

/**
 * The command that opens `url`: a Chromium as an app, else whatever the system opens links with, else nothing.
 * `ours` tells whether the started process is the window itself, and may be ended with the gateway.
 *
 * @param {string} url
 * @param {{ platform: string, environment: Readonly<Record<string, string | undefined>>, root: boolean, profile: string, present: (file: string) => boolean }} machine
 *   `root`: we run as root, where Chromium's sandbox does not; the one page it shows is ours
 * @returns {{ command: string, args: string[], ours: boolean } | undefined}
 */
export function windowCommand(url, machine) {
  const args = [
    `--app=${url}`,
    `--user-data-dir=${machine.profile}`,
    '--no-first-run',
    '--no-default-browser-check',
    ...(machine.root ? ['--no-sandbox'] : []),
  ];
  const browser = findBrowser(machine);
  if (browser !== undefined) return { command: browser, args, ours: true };
  if (machine.platform === 'darwin') return { command: 'open', args: [url], ours: false };
  if (machine.platform === 'win32') return { command: 'explorer.exe', args: [url], ours: false };
  const opener = findOnPath(['xdg-open'], machine);
  return opener === undefined ? undefined : { command: opener, args: [url], ours: false };
}

/** @param {{ platform: string, environment: Readonly<Record<string, string | undefined>>, present: (file: string) => boolean }} machine */
function findBrowser(machine) {
  const { environment, present } = machine;
  if (machine.platform === 'darwin')
    return MAC.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`).find(present);
  if (machine.platform === 'win32') {
    return ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA']
      .flatMap((name) => environment[name] ?? [])
      .flatMap((folder) => WINDOWS.map((file) => join(folder, file)))
      .find(present);
  }
  return findOnPath(ON_PATH, machine);
}

/**
 * @param {readonly string[]} names
 * @param {{ environment: Readonly<Record<string, string | undefined>>, present: (file: string) => boolean }} machine
 */
function findOnPath(names, { environment, present }) {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(present);
}

/**
 * The one-time link in what the gateway prints: its line `Panel: http://…/#code=…`.
 *
 * @param {string} line
 * @returns {string | undefined}
 */
export function panelLink(line) {
  return /^Panel: (https?:\/\/\S+)\s*$/.exec(line)?.[1];
}
