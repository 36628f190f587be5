import type { JsonSchema } from '../plugin-api/manifest.ts';
import type { Problem } from '../protocol/model.ts';
import { isMap } from './is-map.ts';
import { problem, type Path } from './problem.ts';
import { walkSchema } from './schema-walk.ts';

/**
 * A place an instance will listen on. Plugins mark it in their config schema with
 * `"x-listen": "tcp"` or `"udp"`, on an object with `host` and `port`, or on a `port` that has
 * `host` beside it.
 */
export interface Listen {
  /** Instance, or empty for the gateway's own control address. */
  readonly owner: string;
  readonly protocol: 'tcp' | 'udp';
  readonly host: string;
  readonly port: number;
  /** Where the port is written, in the config. */
  readonly path: Path;
}

/** Where a valid config of `owner` will listen. Port 0 takes any free one and is left out. */
export function listensOf(owner: string, schema: JsonSchema, config: unknown, base: Path): Listen[] {
  const found = new Map<string, Listen>();
  walkSchema(schema, config, (node, value, path) => {
    const protocol = node['x-listen'];
    if (protocol !== 'tcp' && protocol !== 'udp') return;
    const onPort = typeof value === 'number';
    const holder = onPort ? valueAt(config, path.slice(0, -1)) : value;
    const port = onPort ? value : isMap(value) ? value.port : undefined;
    if (typeof port !== 'number' || port === 0) return;
    const host = isMap(holder) && typeof holder.host === 'string' ? holder.host : '0.0.0.0';
    const place = [...base, ...path, ...(onPort ? [] : ['port'])];
    found.set(JSON.stringify(place), { owner, protocol, host, port, path: place });
  });
  return [...found.values()];
}

/** Every second use of an address, as a problem at the later one of `listens`. */
export function portClashes(listens: readonly Listen[]): Problem[] {
  const problems: Problem[] = [];
  for (const [index, one] of listens.entries()) {
    const other = listens
      .slice(0, index)
      .find(
        (earlier) => earlier.protocol === one.protocol && earlier.port === one.port && overlap(earlier.host, one.host),
      );
    if (other === undefined) continue;
    const [named, second] = one.owner === '' ? [other, one] : [one, other];
    const details = {
      protocol: one.protocol.toUpperCase(),
      port: one.port,
      name: named.owner,
      host: named.host,
      other: second.owner === '' ? "the gateway's control address" : `'${second.owner}'`,
      otherHost: second.host,
    };
    problems.push(problem('PB_CONFIG_PORT_CLASH', details, one.path));
  }
  return problems;
}

const ANY = new Set(['0.0.0.0', '::', '*', '']);

/** Whether two hosts name a common address of this machine; `::` counts as listening on IPv4 too, as it does by default. */
function overlap(a: string, b: string): boolean {
  const [one, other] = [a.toLowerCase().replace(/^\[|\]$/g, ''), b.toLowerCase().replace(/^\[|\]$/g, '')];
  if (one === other || ANY.has(one) || ANY.has(other)) return true;
  const loopback = (host: string): boolean => host === '127.0.0.1' || host === '::1';
  return (one === 'localhost' && loopback(other)) || (other === 'localhost' && loopback(one));
}

function valueAt(data: unknown, path: Path): unknown {
  let at = data;
  for (const part of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[part] : undefined;
  return at;
}
