import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram, type Program } from './program.ts';

/** A real collectd (Debian's collectd-core) that sends over AMQP 1.0. */
export interface Collectd {
  readonly program: Program;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

export interface CollectdOptions {
  /** Port on 127.0.0.1 where an AMQP 1.0 endpoint listens. */
  readonly port: number;
  /** `Hostname` of its records; default `test-host`. */
  readonly host?: string;
  /** Seconds between two readings; default 1. */
  readonly interval?: number;
  /** Proton sends no password without TLS: these are for an endpoint that takes anonymous senders too. */
  readonly username?: string;
  readonly password?: string;
  /** Send settled, and never know; default false. */
  readonly preSettle?: boolean;
}

/** Starts collectd with the plugins cpu, memory and load, which it sends as JSON to `collectd/telemetry`. */
export function startCollectd(options: CollectdOptions): Collectd {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-collectd-'));
  const login =
    options.username === undefined ? '' : `    User "${options.username}"\n    Password "${options.password ?? ''}"\n`;
  const config = `Hostname "${options.host ?? 'test-host'}"
FQDNLookup false
BaseDir "${folder}"
PIDFile "${folder}/collectd.pid"
Interval ${options.interval ?? 1}
${existsSync('/usr/share/collectd/types.db') ? 'TypesDB "/usr/share/collectd/types.db"' : ''}
LoadPlugin logfile
<Plugin logfile>
  LogLevel info
  File STDOUT
</Plugin>
LoadPlugin cpu
LoadPlugin load
LoadPlugin memory
LoadPlugin amqp1
<Plugin amqp1>
  <Transport "t">
    Host "127.0.0.1"
    Port "${options.port}"
${login}    Address "collectd"
    RetryDelay 1
    <Instance "telemetry">
      Format JSON
      PreSettle ${options.preSettle ?? false}
    </Instance>
  </Transport>
</Plugin>
`;
  const file = join(folder, 'collectd.conf');
  writeFileSync(file, config);
  const program = startProgram('/usr/sbin/collectd', ['-f', '-C', file]);
  return {
    program,
    async remove() {
      await program.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
