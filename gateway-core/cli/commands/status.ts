import type { StatusReport } from '../../protocol/model.ts';
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
        'returned',
        'in flight',
        '/s',
      ],
      Object.entries(report.pipelines).map(([name, p]) => [
        name,
        p.state,
        p.received,
        p.delivered,
        p.filtered,
        p.deadLettered,
        p.dropped,
        p.returned,
        p.inFlight,
        p.ratePerSecond,
      ]),
    );
  }
  if (Object.keys(report.instances).length > 0) {
    print();
    printTable(
      ['instance', 'kind', 'plugin', 'state', 'runs in', 'in', 'out', '/s', 'reason'],
      Object.entries(report.instances).map(([name, i]) => [
        name,
        i.kind,
        `${i.plugin}@${i.version}`,
        i.state,
        i.placement,
        i.received,
        i.emitted,
        i.ratePerSecond,
        i.reason,
      ]),
    );
  }
}
