/** A third-party handler that refuses poisoned messages and dies, once each time it is armed, of a message made for it. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Death = 'throw' | 'exit';

/** Its flag is a file that it removes before it dies: the message is harmless the second time. */
const code = (flags: string): string => `import { unlinkSync } from 'node:fs';
import { defineHandler, eachMessage, Refused } from 'patchbay/plugin-api';
const deaths = {
  throw: () => setImmediate(() => { throw new Error('out of nowhere'); }),
  exit: () => process.exit(1),
};
function die() {
  for (const [how, kill] of Object.entries(deaths)) {
    try {
      unlinkSync(${JSON.stringify(`${flags}/`)} + how);
    } catch {
      continue;
    }
    kill();
  }
}
export default defineHandler({
  create: () => ({
    handle: eachMessage((message) => {
      const { data } = message;
      const { kind } = typeof data === 'string' ? JSON.parse(data) : data;
      if (kind === 'poison') return new Refused('TRAP_POISON', 'poisoned');
      if (kind === 'crash') die();
      return message;
    }),
  }),
});
`;

const manifest = (flags: string): object => ({
  manifestVersion: 1,
  name: 'trap',
  version: '1.0.0',
  apiVersion: '1',
  title: 'Trap',
  description: 'A handler of the fault rounds.',
  license: 'Apache-2.0',
  stability: 'experimental',
  contributes: [
    {
      kind: 'handler',
      name: 'trap',
      main: './main.js',
      accepts: ['*'],
      produces: ['same'],
      config: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        additionalProperties: false,
        properties: { note: { title: 'Note', description: 'Changes nothing.', type: 'integer', examples: [1] } },
      },
    },
  ],
  permissions: { files: [`read:${flags}`, `write:${flags}`] },
});

export class TrapPlugin {
  private readonly flags: string;

  /** Writes the plugin into the data folder's `plugins`. */
  constructor(data: string, flags: string) {
    this.flags = flags;
    const folder = join(data, 'plugins', 'trap');
    mkdirSync(folder, { recursive: true });
    mkdirSync(flags, { recursive: true });
    writeFileSync(join(folder, 'plugin.json'), JSON.stringify(manifest(flags)));
    writeFileSync(join(folder, 'main.js'), code(flags));
  }

  arm(death: Death): void {
    writeFileSync(join(this.flags, death), '');
  }

  /** Whether the handler died of it. */
  sprung(death: Death): boolean {
    return !existsSync(join(this.flags, death));
  }
}
