/** What the app was started with. */
export type AppCommand =
  /** `--cli`: no window; the rest is for the command line. */
  | { readonly mode: 'cli'; readonly args: readonly string[] }
  | {
      readonly mode: 'app';
      readonly configFile: string;
      readonly dataFolder: string;
      readonly pluginFolders: readonly string[];
      readonly control: string;
    };

const WITH_VALUE = ['--data', '--plugins', '--control'] as const;
type Option = (typeof WITH_VALUE)[number];
const isOption = (text: string): text is Option => (WITH_VALUE as readonly string[]).includes(text);

/**
 * Reads `process.argv`. Options that are not ours are Chromium's and skipped; of several files the last counts.
 *
 * @param packaged a packaged app has no path of itself in its arguments
 */
export function parseAppCommand(argv: readonly string[], packaged: boolean): AppCommand {
  let args = argv.slice(1);
  if (!packaged) args = args.slice(args.findIndex((argument) => !argument.startsWith('-')) + 1);
  const cli = args.indexOf('--cli');
  if (cli !== -1) return { mode: 'cli', args: args.slice(cli + 1) };

  let configFile = '';
  const values: Record<Option, string[]> = { '--data': [], '--plugins': [], '--control': [] };
  for (let index = 0; index < args.length; index++) {
    const [name, inline] = splitAtEquals(args[index] ?? '');
    if (isOption(name)) {
      const value = inline ?? args[++index];
      if (value !== undefined) values[name].push(value);
    } else if (!name.startsWith('-') && name !== '') {
      configFile = args[index] ?? '';
    }
  }
  return {
    mode: 'app',
    configFile,
    dataFolder: values['--data'].at(-1) ?? '',
    pluginFolders: values['--plugins'],
    control: values['--control'].at(-1) ?? '',
  };
}

function splitAtEquals(argument: string): [string, string | undefined] {
  const at = argument.startsWith('--') ? argument.indexOf('=') : -1;
  return at === -1 ? [argument, undefined] : [argument.slice(0, at), argument.slice(at + 1)];
}
