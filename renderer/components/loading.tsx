import { useEffect, useState } from 'react';
import { texts } from '../app/texts.ts';
import styles from './panels.module.css';

/** Says that something loads, after 250 ms: a quick answer must not flicker. */
export function Loading({ text = texts.common.loading }: { text?: string }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), 250);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" className={styles.loading}>
      {shown ? text : ''}
    </div>
  );
}
