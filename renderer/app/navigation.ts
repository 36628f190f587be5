/** The screens of the rail, in its order. A screen is listed when its page exists. */
import { IconActivity, IconMailX, IconPlug, IconSitemap, type Icon } from '@tabler/icons-react';
import { routes } from './routes.tsx';
import { texts } from './texts.ts';

export interface Screen {
  readonly path: string;
  readonly label: string;
  readonly icon: Icon;
  /** Second key of `g …`. */
  readonly key: string;
}

const order: readonly Screen[] = [
  { path: '/topology', label: texts.screens.topology, icon: IconSitemap, key: 't' },
  { path: '/plugins', label: texts.screens.plugins, icon: IconPlug, key: 'p' },
  { path: '/live', label: texts.screens.live, icon: IconActivity, key: 'l' },
  { path: '/dead-letters', label: texts.screens.deadLetters, icon: IconMailX, key: 'd' },
];

export const screens: readonly Screen[] = order.filter(({ path }) =>
  routes.some((route) => route.path.startsWith(path)),
);
