import { protocol } from 'electron';
import { respond } from '../shell/app-response.ts';
import { APP_SCHEME } from '../shell/origin.ts';

/** Must come before the app is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** Serves the built panel under the app's own scheme. */
export function serveAppScheme(panelFolder: string): void {
  protocol.handle(APP_SCHEME, async (request) => {
    const { status, headers, body } = await respond(request.method, request.url, panelFolder);
    return new Response(body, { status, headers: { ...headers } });
  });
}
