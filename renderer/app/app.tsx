/** Which page is shown: no session, first run, or what the URL says. */
import { Suspense } from 'react';
import { Button } from '@mantine/core';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { EmptyState } from '../components/empty-state.tsx';
import { ErrorPanel } from '../components/error-panel.tsx';
import { Loading } from '../components/loading.tsx';
import { FirstRunPage } from '../pages/first-run/first-run-page.tsx';
import { SessionPage } from '../pages/session/session-page.tsx';
import { Frame } from './frame/frame.tsx';
import { useConnection, useStatus } from './gateway.ts';
import { PageBoundary } from './page-boundary.tsx';
import { routes } from './routes.tsx';
import { texts } from './texts.ts';

const HOME = routes[0]?.path.split('/*')[0] ?? '/live';

function Pages() {
  const [path] = useLocation();
  return (
    <PageBoundary place={path}>
      <Suspense fallback={<Loading />}>
        <Switch>
          {routes.map(({ path: pattern, page: Page }) => (
            <Route key={pattern} path={pattern}>
              <Page />
            </Route>
          ))}
          <Route path="/">
            <Redirect to={HOME} replace />
          </Route>
          <Route>
            <EmptyState
              title={texts.common.notFound}
              action={
                <Button component={Link} href={HOME} variant="default">
                  {texts.common.toStart}
                </Button>
              }
            >
              {texts.common.notFoundText}
            </EmptyState>
          </Route>
        </Switch>
      </Suspense>
    </PageBoundary>
  );
}

export function App() {
  const connection = useConnection();
  const { value: status, error } = useStatus();
  if (connection.phase === 'refused') return <SessionPage reason={connection.reason} />;
  return (
    <Frame>
      {status === undefined ? (
        error !== undefined ? (
          <ErrorPanel error={error} />
        ) : connection.phase === 'lost' ? (
          <EmptyState title={texts.frame.engineStopped}>{texts.common.disconnectedNoData}</EmptyState>
        ) : (
          <Loading text={texts.frame.connecting} />
        )
      ) : status.configured ? (
        <Pages />
      ) : (
        <FirstRunPage />
      )}
    </Frame>
  );
}
