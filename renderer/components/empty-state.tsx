import type { ReactNode } from 'react';
import styles from './panels.module.css';

/** Nothing to show, why, and the one next step. */
export function EmptyState({
  icon,
  title,
  children,
  action,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.empty}>
      {icon !== undefined && (
        <span className={styles.emptyIcon} aria-hidden>
          {icon}
        </span>
      )}
      <h2>{title}</h2>
      {children !== undefined && <p>{children}</p>}
      {action}
    </div>
  );
}
