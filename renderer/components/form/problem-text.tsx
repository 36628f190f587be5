import { IconAlertTriangle, IconCircleX } from '@tabler/icons-react';
import type { Problem } from '../../../gateway-core/protocol/model.ts';
import { pathText } from './value-path.ts';
import styles from './form.module.css';

/** One problem beside its field: what is wrong, what to do, and its code. */
export function ProblemText({ problem, withPlace = false }: { problem: Problem; withPlace?: boolean }) {
  const Icon = problem.severity === 'error' ? IconCircleX : IconAlertTriangle;
  return (
    <p className={`${styles.problem} ${problem.severity === 'error' ? styles.error : styles.warning}`}>
      <Icon size={14} aria-hidden className={styles.problemIcon} />
      <span>
        {withPlace && problem.path.length > 0 && <code>{pathText(problem.path)} </code>}
        {problem.message}
        {problem.remedy !== '' && <span className={styles.remedy}> {problem.remedy}</span>}{' '}
        <code className={styles.code}>{problem.code}</code>
      </span>
    </p>
  );
}
