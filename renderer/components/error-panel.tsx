import { IconAlertTriangle } from '@tabler/icons-react';
import type { WireError } from '../../gateway-core/protocol/frames.ts';
import { texts } from '../app/texts.ts';
import { CopyButton } from './copy-button.tsx';
import { Button } from '@mantine/core';
import styles from './panels.module.css';

/** What went wrong, with code, place and remedy; `retry` where trying again can help. */
export function ErrorPanel({
  error,
  retry,
  compact = false,
}: {
  error: WireError;
  retry?: (() => void) | undefined;
  compact?: boolean;
}) {
  const t = texts.common;
  return (
    <div role="alert" className={compact ? `${styles.error} ${styles.compact}` : styles.error}>
      <IconAlertTriangle size={18} aria-hidden className={styles.errorIcon} />
      <div className={styles.errorBody}>
        <strong>{error.message}</strong>
        {error.remedy !== '' && <p>{error.remedy}</p>}
        <p className={styles.small}>
          <code>{error.code}</code>
          {error.place !== undefined && (
            <>
              {' '}
              · {t.place}: <code>{error.place}</code>
            </>
          )}
          <CopyButton
            label={t.copy}
            text={() =>
              `${error.code}: ${error.message}\n${error.remedy}${error.place === undefined ? '' : `\n${error.place}`}`
            }
          />
        </p>
      </div>
      {retry !== undefined && (
        <Button variant="default" onClick={retry}>
          {t.retry}
        </Button>
      )}
    </div>
  );
}
