/** Which page belongs to which path. Each page is loaded when it is first opened. */
import { lazy, type ComponentType } from 'react';

export interface PageRoute {
  /** wouter's pattern; sub-paths (`/plugins/generator`) are the page's own. */
  readonly path: string;
  readonly page: ComponentType;
}

export const routes: readonly PageRoute[] = [
  { path: '/topology/*?', page: lazy(() => import('../pages/topology/topology-page.tsx')) },
  { path: '/plugins/*?', page: lazy(() => import('../pages/plugins/plugins-page.tsx')) },
  { path: '/live/*?', page: lazy(() => import('../pages/live/live-page.tsx')) },
  { path: '/dead-letters/*?', page: lazy(() => import('../pages/dead-letters/dead-letters-page.tsx')) },
];
