/**
 * Three hosts on one machine: this process, the gateway and the peer, each in a network of its own with a router
 * between them that can swallow packets without a word, as a cable that was pulled behind a switch does.
 */
import { spawnSync } from 'node:child_process';

/** Of 198.18.0.0/15, which is kept for tests of networks. */
const HOSTS = { here: 1, gateway: 2, peer: 3 } as const;
export type Host = keyof typeof HOSTS;

export class Network {
  private readonly name: string;
  private readonly block: number;

  constructor() {
    this.name = `pb${process.pid % 100_000}`;
    this.block = process.pid % 250;
    try {
      this.build();
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  address(host: Host): string {
    return `198.18.${this.block}.${HOSTS[host] * 4 + 2}`;
  }

  /** To be put before a command that is to run on that host. */
  on(host: Exclude<Host, 'here'>): readonly string[] {
    return ['ip', 'netns', 'exec', `${this.name}-${host}`];
  }

  /** Packets to the host vanish; those from it still arrive. Nobody is told. */
  cut(host: Host): void {
    this.router('route', 'replace', 'blackhole', `${this.address(host)}/32`);
  }

  mend(host: Host): void {
    this.router('route', 'del', 'blackhole', `${this.address(host)}/32`);
  }

  remove(): void {
    for (const each of ['router', 'gateway', 'peer']) spawnSync('ip', ['netns', 'del', `${this.name}-${each}`]);
    spawnSync('ip', ['link', 'del', `${this.name}h`]);
  }

  private build(): void {
    ip('netns', 'add', `${this.name}-router`);
    spawnChecked('ip', ['netns', 'exec', `${this.name}-router`, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
    this.router('link', 'set', 'lo', 'up');
    for (const host of Object.keys(HOSTS) as Host[]) this.attach(host);
  }

  private attach(host: Host): void {
    const base = `198.18.${this.block}.${HOSTS[host] * 4}`;
    const gate = base.replace(/\d+$/, (last) => String(Number(last) + 1));
    const [near, far] = [`${this.name}${host === 'here' ? 'h' : host[0]}`, `r${host}`];
    const inside = host === 'here' ? [] : ['-n', `${this.name}-${host}`];
    if (host !== 'here') ip('netns', 'add', `${this.name}-${host}`);
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', `${this.name}-router`);
    if (host !== 'here') ip('link', 'set', near, 'netns', `${this.name}-${host}`);
    ip(...inside, 'addr', 'add', `${this.address(host)}/30`, 'dev', near);
    ip(...inside, 'link', 'set', near, 'up');
    if (host !== 'here') ip(...inside, 'link', 'set', 'lo', 'up');
    ip(...inside, 'route', 'add', `198.18.${this.block}.0/24`, 'via', gate, 'dev', near);
    this.router('addr', 'add', `${gate}/30`, 'dev', far);
    this.router('link', 'set', far, 'up');
  }

  private router(...args: string[]): void {
    ip('-n', `${this.name}-router`, ...args);
  }
}

function ip(...args: string[]): void {
  spawnChecked('ip', args);
}

function spawnChecked(command: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr.toString()}`);
}
