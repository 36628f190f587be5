import { createElement } from 'react';
import {
  IconActivity,
  IconArrowsExchange,
  IconBell,
  IconBolt,
  IconBrandDocker,
  IconChartDots,
  IconCloud,
  IconDatabase,
  IconFileText,
  IconFilter,
  IconFlame,
  IconLogin2,
  IconLogout2,
  IconMail,
  IconPlayerPlay,
  IconPuzzle,
  IconSearch,
  IconServer,
  IconSettings,
  IconTag,
  IconTerminal2,
  IconTransform,
  IconWaveSine,
  IconWebhook,
  IconWorld,
  type Icon,
} from '@tabler/icons-react';
import type { PluginKind } from '../../gateway-core/protocol/model.ts';

/** The panel's set: what `icon` in plugin.json may name. Whatever else it says, the kind decides. */
const NAMED: ReadonlyMap<string, Icon> = new Map([
  ['activity', IconActivity],
  ['arrows-exchange', IconArrowsExchange],
  ['bell', IconBell],
  ['bolt', IconBolt],
  ['chart-dots', IconChartDots],
  ['cloud', IconCloud],
  ['container', IconBrandDocker],
  ['database', IconDatabase],
  ['file', IconFileText],
  ['file-text', IconFileText],
  ['filter', IconFilter],
  ['flame', IconFlame],
  ['mail', IconMail],
  ['search', IconSearch],
  ['server', IconServer],
  ['tag', IconTag],
  ['terminal', IconTerminal2],
  ['terminal-2', IconTerminal2],
  ['transform', IconTransform],
  ['wave-sine', IconWaveSine],
  ['webhook', IconWebhook],
  ['world', IconWorld],
]);

const BY_KIND: Readonly<Record<PluginKind, Icon>> = {
  source: IconLogin2,
  handler: IconTransform,
  sink: IconLogout2,
  executor: IconTerminal2,
  action: IconPlayerPlay,
  driver: IconSettings,
};

/** A plugin's picture; decorative, the name stands beside it. */
export function PluginIcon({ icon, kind, size = 18 }: { icon: string; kind: PluginKind | undefined; size?: number }) {
  const picture = NAMED.get(icon) ?? (kind === undefined ? IconPuzzle : BY_KIND[kind]);
  return createElement(picture, { size, stroke: 1.7, 'aria-hidden': true });
}
