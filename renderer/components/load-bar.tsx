import { loadTone } from '../app/load.ts';
import styles from './load-bar.module.css';

/** A share of time as a bar with its figure. */
export function LoadBar({ share }: { share: number }) {
  return (
    <span className={styles.load}>
      <span className={styles.track} aria-hidden>
        <span data-load={loadTone(share)} style={{ width: `${Math.min(1, share) * 100}%` }} />
      </span>
      {Math.round(share * 100)} %
    </span>
  );
}
