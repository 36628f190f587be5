import '@mantine/core/styles.css';
import './tokens.css';
import './base.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from '../../gateway-core/protocol/client.ts';
import { connectPort, type PortRequest } from '../connection/message-port.ts';
import { connectHere } from '../connection/web-socket.ts';
import { App } from './app.tsx';
import { createGatewayState, GatewayContext } from './gateway.ts';
import { cspNonce } from './nonce.ts';
import { cssVariablesResolver, theme } from './theme.ts';

declare global {
  /** Where react-remove-scroll (Mantine's dialogs) looks for the nonce of its style tags. */
  var __webpack_nonce__: string | undefined;
  interface Window {
    /** From the preload, in the app only. */
    readonly patchbay?: { readonly requestPort: PortRequest };
  }
}

const client = createClient(window.patchbay === undefined ? connectHere : connectPort(window.patchbay.requestPort), {
  client: 'panel',
  backOff: { min: 250, max: 3_000 },
});
// A computer that wakes up, or a tab looked at again, should not wait for the next try.
window.addEventListener('online', () => client.retry());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) client.retry();
});

globalThis.__webpack_nonce__ = cspNonce();

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariablesResolver}
      defaultColorScheme="auto"
      colorSchemeManager={localStorageColorSchemeManager({ key: 'patchbay-theme' })}
      getStyleNonce={cspNonce}
    >
      <GatewayContext value={createGatewayState(client)}>
        <App />
      </GatewayContext>
    </MantineProvider>
  </StrictMode>,
);
