/**
 * What can go wrong before the product itself can run: same form as the engine's registry
 * (`gateway-core/protocol/errors`), kept apart because nothing is installed yet when these are needed.
 *
 * @type {Readonly<Record<string, { template: string, cause: string, remedy: string }>>}
 */
export const setupErrors = {
  PB_SETUP_NODE_TOO_OLD: {
    template: 'Node {version} is too old for the setup',
    cause: 'The setup scripts need Node 18 or newer to run themselves.',
    remedy: 'Install Node 24 (or any from 18 on) and run the command again.',
  },
  PB_SETUP_NO_RUNTIME: {
    template: 'There is no packaged Node 24 for {platform}',
    cause: 'This machine has Node {version}, Patchbay needs 24, and npm offers no Node binary for this platform.',
    remedy: '{howto}',
  },
  PB_SETUP_NO_NPM: {
    template: 'npm was not found',
    cause: 'Node is here, npm is not: some distributions package it separately.',
    remedy:
      'Install npm (Debian and Ubuntu: apt-get install npm) or Node from its own installer, then run the command again.',
  },
  PB_SETUP_NETWORK: {
    template: 'The npm registry cannot be reached ({detail})',
    cause: 'No network, a proxy that npm does not know of, or a registry that is down.',
    remedy:
      'Check the connection with "npm ping"; behind a proxy set it with "npm config set proxy URL" and "npm config set https-proxy URL". Then run the command again: it goes on from where it stopped.',
  },
  PB_SETUP_REGISTRY_DENIED: {
    template: 'The npm registry refused access ({detail})',
    cause: 'The configured registry wants a login, or the token has expired.',
    remedy: 'Run "npm login" or renew the token in your .npmrc, then run the command again.',
  },
  PB_SETUP_PACKAGE_MISSING: {
    template: 'The npm registry does not have a package that is needed ({detail})',
    cause: 'The configured registry is a mirror that lacks it, or holds back new versions.',
    remedy: 'Ask whoever runs the mirror to let the package through, or configure another registry for npm.',
  },
  PB_SETUP_DISK: {
    template: 'The disk is full ({detail})',
    cause: 'Setting up needs about 700 MB below {root}, and some in the npm cache.',
    remedy: 'Free some space ("npm cache clean --force" frees the cache), then run the command again.',
  },
  PB_SETUP_PERMISSION: {
    template: 'Not allowed to write ({detail})',
    cause: 'The checkout or the npm cache belongs to another user, or is read-only.',
    remedy: 'Make {root} and the folder that "npm config get cache" names yours (chown), then run the command again.',
  },
  PB_SETUP_INTEGRITY: {
    template: 'A downloaded package is not what package-lock.json promises ({detail})',
    cause: 'A damaged download or cache, or a registry that serves something else.',
    remedy: 'Run "npm cache verify" and the command again; if it stays, do not go on: tell whoever runs the registry.',
  },
  PB_SETUP_LOCK_MISMATCH: {
    template: 'package.json and package-lock.json do not belong together',
    cause: 'One was changed without the other, as after a merge.',
    remedy: 'Run "npm install --ignore-scripts" and commit package-lock.json.',
  },
  PB_SETUP_INTERRUPTED: {
    template: 'Setup was interrupted ({detail})',
    cause: 'A signal ended it, from the keyboard or from whoever supervises it.',
    remedy: 'Run the command again: it goes on from where it stopped.',
  },
  PB_SETUP_BUSY: {
    template: 'Another setup (process {pid}) has held the lock for {minutes} minutes',
    cause: 'It is still downloading, or hangs.',
    remedy: 'Wait for it, or end that process and run the command again.',
  },
  PB_SETUP_FAILED: {
    template: '{step} failed with exit code {detail}',
    cause: 'npm met something that this script does not know; its own words stand above.',
    remedy: 'Read what npm said above; "npm cache verify" and a new run often help.',
  },
  PB_START_PRELOAD_BUILD: {
    template: 'The window bridge electron/preload.ts could not be bundled',
    cause: 'It does not compile; the bundler says above where.',
    remedy: 'Mend that file, or go back to a version of it that builds.',
  },
  PB_START_RENDERER_BUILD: {
    template: 'The panel could not be built',
    cause: 'A source below renderer/ does not compile; the builder says above where.',
    remedy: 'Mend that file, or go back to a version of it that builds.',
  },
};

/** A failure with a code of the registry above, its texts filled in from `details`. */
export class SetupError extends Error {
  /**
   * @param {string} code
   * @param {Readonly<Record<string, unknown>>} [details]
   */
  constructor(code, details = {}) {
    const entry = setupErrors[code];
    if (entry === undefined) throw new TypeError(`no such code: ${code}`);
    super(fillIn(entry.template, details));
    this.name = 'SetupError';
    this.code = code;
    this.causeText = fillIn(entry.cause, details);
    this.remedy = fillIn(entry.remedy, details);
  }
}

/**
 * @param {string} template
 * @param {Readonly<Record<string, unknown>>} details
 */
function fillIn(template, details) {
  return template.replace(/\{(\w+)\}/g, (whole, /** @type {string} */ name) =>
    name in details ? String(details[name]) : whole,
  );
}

/**
 * The code that fits what npm wrote before it gave up.
 *
 * @param {string} output npm's standard error
 * @returns {{ code: string, detail: string } | undefined} undefined: nothing known in it
 */
export function classifyNpmFailure(output) {
  /** @type {readonly (readonly [string, RegExp])[]} in order: what is more telling comes first */
  const signs = [
    ['PB_SETUP_INTERRUPTED', /^npm (?:error|ERR!) signal (SIG[A-Z]+)/m],
    ['PB_SETUP_DISK', /\b(ENOSPC|EDQUOT)\b/],
    ['PB_SETUP_INTEGRITY', /\b(EINTEGRITY)\b/],
    ['PB_SETUP_LOCK_MISMATCH', /\b(EUSAGE)\b/],
    ['PB_SETUP_REGISTRY_DENIED', /\b(E401|E403|ENEEDAUTH|EOTP)\b/],
    ['PB_SETUP_PACKAGE_MISSING', /\b(E404|ETARGET|ENOVERSIONS)\b/],
    [
      'PB_SETUP_NETWORK',
      /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ESOCKETTIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|FETCH_ERROR|UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|CERT_HAS_EXPIRED|E5\d\d|ENOTCACHED)\b/,
    ],
    ['PB_SETUP_PERMISSION', /\b(EACCES|EPERM|EROFS)\b/],
  ];
  for (const [code, sign] of signs) {
    const found = sign.exec(output);
    if (found?.[1] !== undefined) return { code, detail: found[1] };
  }
  return undefined;
}

/**
 * For the person at the terminal: what, why, what to do.
 *
 * @param {unknown} error
 */
export function describeFailure(error) {
  if (error instanceof SetupError)
    return `${error.code}: ${error.message}\n  why:    ${error.causeText}\n  remedy: ${error.remedy}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
