/** What a change does to what runs, and to the YAML. */
import { IconArrowsShuffle, IconPlayerPlay, IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { useMemo } from 'react';
import type { Plan, PlanAct, Problem } from '../../../gateway-core/protocol/model.ts';
import { count } from '../../app/format.ts';
import { texts } from '../../app/texts.ts';
import { ProblemText } from '../../components/form/problem-text.tsx';
import { diffLines } from './line-diff.ts';
import styles from './plugins.module.css';

const ICONS: Readonly<Record<Exclude<PlanAct, 'keep'>, typeof IconRefresh>> = {
  start: IconPlayerPlay,
  stop: IconPlayerStop,
  restart: IconRefresh,
  reconfigure: IconArrowsShuffle,
};

export function PlanView({ plan, problems }: { plan: Plan | undefined; problems: readonly Problem[] }) {
  const t = texts.plugins.editor;
  const errors = problems.filter((problem) => problem.severity === 'error');
  const steps = (plan?.steps ?? []).flatMap((step) => (step.act === 'keep' ? [] : [{ ...step, act: step.act }]));
  const kept = plan?.steps.filter((step) => step.act === 'keep' && step.subject === 'instance').length ?? 0;
  return (
    <section className={styles.stackTight}>
      <h3>{t.plan}</h3>
      {problems.map((problem, index) => (
        <ProblemText key={index} problem={problem} withPlace />
      ))}
      {plan === undefined ? (
        <p className={styles.dim}>{t.planUntil}</p>
      ) : (
        errors.length === 0 && (
          <>
            {steps.length === 0 && <p className={styles.dim}>{t.planNothing}</p>}
            <ul className={styles.plan}>
              {steps.map((step, index) => {
                const Icon = ICONS[step.act];
                return (
                  <li key={index} data-act={step.act}>
                    <Icon size={15} aria-hidden className={styles.planIcon} />
                    <div>
                      <strong>{step.name}</strong> {t.acts[step.act]}
                      <p className={styles.small}>
                        {[step.reason, step.gap === '' ? t.noGap : `${t.gap}: ${step.gap}`].filter(Boolean).join(' · ')}
                      </p>
                    </div>
                  </li>
                );
              })}
            </ul>
            {Object.entries(plan.undelivered ?? {}).map(([sink, messages]) => (
              <p key={sink} className={styles.warn}>
                {texts.spools.planHolds(sink, count(messages))}
              </p>
            ))}
            {kept > 0 && <p className={styles.small}>{t.keeps(kept)}</p>}
          </>
        )
      )}
    </section>
  );
}

export function DiffView({ before, after }: { before: string; after: string }) {
  const t = texts.plugins.editor;
  const lines = useMemo(() => diffLines(before, after), [before, after]);
  if (lines.length === 0) return null;
  return (
    <section className={styles.stackTight}>
      <h3>{t.diff}</h3>
      <div className={styles.diff} tabIndex={0} role="group" aria-label={t.diff}>
        {lines.map((line, index) => (
          <div key={index} data-diff={line.kind}>
            <span className={styles.diffLine} aria-hidden>
              {line.kind === 'skipped' ? '' : line.line}
            </span>
            <span className={styles.diffSign}>
              {line.kind === 'added' || line.kind === 'removed' ? (
                <>
                  <span aria-hidden>{line.kind === 'added' ? '+' : '−'}</span>
                  <span className="visually-hidden">{line.kind === 'added' ? t.added : t.removed} </span>
                </>
              ) : (
                ''
              )}
            </span>
            <span className={styles.diffText}>{line.kind === 'skipped' ? '⋯' : line.text}</span>
          </div>
        ))}
      </div>
    </section>
  );
}
