/**
 * The nonce of this response, for style tags made at run time. Vite wrote it into
 * `<meta property="csp-nonce">`; the attribute is read through the property since browsers hide it.
 */
export function cspNonce(): string {
  const meta = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]');
  return meta?.nonce ?? meta?.getAttribute('nonce') ?? '';
}
