import type { EngineHealth, Level, StatusReport } from '../../protocol/model.ts';
import { withGateway, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, printJson, printTable } from '../output.ts';

export async function status(options: Where & { readonly json?: boolean; readonly link?: boolean }): Promise<number> {
  return withGateway(options, async (client) => {
    if (options.link === true) {
      const { link } = await client.call('control.link', {});
      if (options.json === true) printJson({ link });
      else print(link);
      return EXIT.ok;
    }
    const report = await client.call('status.get', {});
    if (options.json === true) printJson(report);
    else printReport(report);
    return EXIT.ok;
  });
}

function printReport(report: StatusReport): void {
  print(
    `${report.state}, version ${report.version}, config version ${report.configVersion}, up ${report.uptimeSeconds} s, in ${report.inPerSecond}/s, out ${report.outPerSecond}/s`,
  );
  for (const line of epochLines(report)) print(line);
  for (const need of report.needsYou) print(`! ${need.message} [${need.code}]\n  ${need.remedy}`);
  if (Object.keys(report.pipelines).length > 0) {
    print();
    printTable(
      [
        'pipeline',
        'state',
        'received',
        'delivered',
        'filtered',
        'dead letters',
        'dropped',
        'spooled',
        'in flight',
        'returned',
        'adds up',
        '/s',
        'held up by',
      ],
      Object.entries(report.pipelines).map(([name, p]) => [
        name,
        p.state,
        p.received,
        p.delivered,
        p.filtered,
        p.deadLettered,
        p.dropped,
        p.spooled,
        p.inFlight,
        p.returned,
        p.addsUp ? (p.exact ? 'yes' : 'not exact') : 'NO',
        p.ratePerSecond,
        p.bottleneck?.reason ?? (p.state === 'running' ? 'nothing: as fast as its sources' : ''),
      ]),
    );
  }
  if (Object.keys(report.instances).length > 0) {
    print();
    printTable(
      ['instance', 'kind', 'plugin', 'state', 'runs in', 'in', 'out', 'held', 'busy', '/s', 'reason'],
      Object.entries(report.instances).map(([name, i]) => [
        name,
        i.kind,
        `${i.plugin}@${i.version}`,
        i.state,
        i.placement,
        i.received,
        i.emitted,
        i.held,
        percent(i.busy),
        i.ratePerSecond,
        i.reason,
      ]),
    );
  }
  printHealth(report.health);
}

function printHealth({ threads, process, disk, storage }: EngineHealth): void {
  print();
  printTable(
    ['thread', 'state', 'busy', 'loop delay p99', 'heap', 'last sign of life'],
    Object.entries(threads).map(([name, thread]) => [
      name,
      thread.state,
      percent(thread.utilisation),
      `${thread.delayP99Ms} ms`,
      `${megabytes(thread.heapBytes)} of ${megabytes(thread.heapLimitBytes)}${levelWord(thread.heapLevel)}`,
      thread.heartbeatAge === 0 ? 'now' : `${thread.heartbeatAge} s ago`,
    ]),
  );
  const slowest = Math.max(0, ...Object.values(storage.stores).map(({ commits }) => commits.lastMaxSeconds));
  print();
  print(
    [
      `memory ${megabytes(process.rssBytes)} of ${megabytes(process.memoryLimitBytes)}${levelWord(process.memoryLevel)}`,
      `disk ${megabytes(disk.freeBytes)} free of ${megabytes(disk.totalBytes)}${levelWord(disk.level)}`,
      `slowest commit of the last second ${Math.round(slowest * 10_000) / 10} ms`,
    ].join(', '),
  );
}

/** Only what is out of the ordinary: a run that follows one that was cut off. */
function epochLines({ epochStart, lastEpoch }: StatusReport): readonly string[] {
  if (epochStart !== 'unclean' || lastEpoch === null) return [];
  const { lastAlive, version } = lastEpoch;
  return [
    `Counts begin anew: the run before (version ${version}) was cut off, last alive ${new Date(lastAlive).toISOString()}`,
  ];
}

function levelWord(level: Level): string {
  return level === 'ok' ? '' : ` (${level})`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
