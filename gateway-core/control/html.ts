import { randomBytes } from 'node:crypto';

/** Placeholder in the panel's index.html, replaced in every response. */
export const NONCE_PLACEHOLDER = '__CSP_NONCE__';

export interface HtmlResponse {
  readonly body: string;
  readonly policy: string;
}

/** Gives a page its nonce for this one response, and the policy that goes with it. */
export function withNonce(html: string): HtmlResponse {
  const nonce = randomBytes(16).toString('base64');
  return { body: html.replaceAll(NONCE_PLACEHOLDER, nonce), policy: contentSecurityPolicy(nonce) };
}

/** Nothing but our own files, scripts and styles of ours or with the nonce, no eval, in nobody's frame. */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}'`,
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 36rem; margin: 15vh auto 0; padding: 0 1rem; }
h1 { font-size: 1.25rem; }
code { font: 0.9em ui-monospace, monospace; padding: 0.1em 0.3em; border-radius: 3px; background: color-mix(in srgb, currentColor 10%, transparent); }
`;

function page(title: string, body: string, script = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style nonce="${NONCE_PLACEHOLDER}">${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
${script === '' ? '' : `<script nonce="${NONCE_PLACEHOLDER}">${script}</script>\n`}</body>
</html>
`;
}

/**
 * The door: what someone without a session gets. Its script trades the code of a one-time link for
 * a session, or finds that there is one after all (a link followed on another site comes without its
 * cookie) and then opens the panel; once only, so that it cannot go round in circles.
 */
const DOOR_SCRIPT = `
const why = document.getElementById('why');
const help = document.getElementById('help');
const code = new URLSearchParams(location.hash.slice(1)).get('code');
const here = location.pathname + location.search;
async function enter() {
  if (code !== null) {
    history.replaceState(null, '', here);
    const response = await fetch('/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code }) });
    if (response.ok) { location.replace(location.origin + here); return; }
    const { error } = await response.json();
    why.textContent = error.message + '.';
  } else if (history.state !== 'tried' && (await fetch('/session', { cache: 'no-store' })).ok) {
    history.replaceState('tried', '', here);
    location.replace(location.origin + here);
    return;
  }
  help.hidden = false;
}
enter().catch(() => { why.textContent = 'The gateway does not answer.'; help.hidden = false; });
`;

export const DOOR = page(
  'Patchbay: sign in',
  `<h1>Patchbay</h1>
<p id="why" role="status">This browser has no session with this gateway.</p>
<div id="help" hidden>
<p>Open the panel with a one-time link: it is good for one use within 60 seconds. The gateway prints one when it starts. For a new one, run on its machine:</p>
<p><code>patchbay status --link</code> &nbsp; or, in a checkout, &nbsp; <code>npm run --silent gateway -- status --link</code></p>
</div>
<noscript><p>The panel needs JavaScript.</p></noscript>`,
  DOOR_SCRIPT,
);

export const NOT_BUILT = page(
  'Patchbay: panel not built',
  `<h1>The panel is not built</h1>
<p>The gateway runs, but this checkout has no built panel to show. <code>npm start</code> builds it; so does <code>npx vite build renderer</code>. Reload this page afterwards.</p>`,
);
