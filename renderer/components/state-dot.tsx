import type { GatewayState, InstanceState, PipelineStatus } from '../../gateway-core/protocol/model.ts';
import { texts } from '../app/texts.ts';
import styles from './state-dot.module.css';

type AnyState = InstanceState | GatewayState | PipelineStatus['state'] | 'unknown';

/** Shape and colour by state: full (fine), half (attention), cross (down), ring (off). */
export const toneOf: Readonly<Record<AnyState, 'ok' | 'warn' | 'bad' | 'off'>> = {
  running: 'ok',
  starting: 'warn',
  degraded: 'warn',
  retrying: 'warn',
  draining: 'warn',
  blocked: 'warn',
  paused: 'off',
  disabled: 'off',
  stopped: 'off',
  unknown: 'off',
  failed: 'bad',
};

/** A state by shape, colour and word. Without `label` the word is for screen readers and the hover. */
export function StateDot({ state, label = false, reason = '' }: { state: AnyState; label?: boolean; reason?: string }) {
  const word =
    (texts.common.instanceStates as Partial<Record<string, string>>)[state] ??
    (texts.frame.states as Partial<Record<string, string>>)[state] ??
    state;
  const tone = toneOf[state];
  return (
    <span className={styles.state} title={reason === '' ? word : `${word}: ${reason}`}>
      <svg width="10" height="10" viewBox="0 0 10 10" aria-hidden className={styles[tone]}>
        {tone === 'ok' && <circle cx="5" cy="5" r="4" fill="currentColor" />}
        {tone === 'warn' && (
          <>
            <circle cx="5" cy="5" r="3.6" fill="none" stroke="currentColor" strokeWidth="1.4" />
            <path d="M5 1.4a3.6 3.6 0 0 1 0 7.2z" fill="currentColor" />
          </>
        )}
        {tone === 'bad' && (
          <path d="M1.6 1.6l6.8 6.8M8.4 1.6L1.6 8.4" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />
        )}
        {tone === 'off' && <circle cx="5" cy="5" r="3.4" fill="none" stroke="currentColor" strokeWidth="1.4" />}
      </svg>
      <span className={label ? undefined : 'visually-hidden'}>{word}</span>
    </span>
  );
}
