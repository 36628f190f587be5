/** A config form drawn from a plugin's schema. It holds no value of its own, and checks nothing: the engine does. */
import { useCallback, useId, useMemo, useState } from 'react';
import type { Problem } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';
import { FieldView } from './field-view.tsx';
import { FormContext, type FormApi } from './form-context.ts';
import { buildForm, type Field } from './form-model.ts';
import { assignProblems } from './problems.ts';
import { ProblemText } from './problem-text.tsx';
import type { Schema } from './schema.ts';
import { setAt, unsetAt, type Path } from './value-path.ts';
import styles from './form.module.css';

export interface SchemaFormProps {
  /** Undefined: the plugin takes no config. */
  readonly schema: Schema | undefined;
  readonly value: unknown;
  /** As it runs now; secrets set in it stay hidden. */
  readonly initial: unknown;
  readonly onChange: (value: unknown) => void;
  readonly problems: readonly Problem[];
  /** Where the value lies in the config, for the problems' paths. */
  readonly base: Path;
  /** Also what the operator has not come to yet. */
  readonly showAll: boolean;
  readonly disabled?: boolean;
}

export function SchemaForm({
  schema,
  value,
  initial,
  onChange,
  problems,
  base,
  showAll,
  disabled = false,
}: SchemaFormProps) {
  const id = useId();
  const [chosen, setChosen] = useState<ReadonlyMap<string, number>>(new Map());
  const [touched, setTouched] = useState<ReadonlySet<string>>(new Set());
  const form = useMemo(() => buildForm(schema, value, chosen), [schema, value, chosen]);
  const baseKey = JSON.stringify(base);
  const assigned = useMemo(
    () => assignProblems(problems, form, JSON.parse(baseKey) as Path),
    [problems, form, baseKey],
  );
  const touch = useCallback(
    (field: Field) => setTouched((before) => (before.has(field.key) ? before : new Set(before).add(field.key))),
    [],
  );

  const api: FormApi = {
    disabled,
    initial,
    problems: assigned,
    set: (path, next) => onChange(setAt(value, path, next)),
    unset: (path) => onChange(path.length === 0 ? {} : unsetAt(value, path)),
    choose: (field, index, start) => {
      touch(field);
      setChosen((before) => new Map(before).set(field.key, index));
      onChange(setAt(value, field.path, start));
    },
    touch,
    problemsOf: (field) =>
      showAll || field.present || touched.has(field.key) ? (assigned.byField.get(field.key) ?? []) : [],
    idOf: (field) => `${id}${field.key}`,
  };
  const empty =
    form.kind === 'group' && form.fields.length === 0 && form.choice === undefined && form.others === undefined;
  return (
    <FormContext value={api}>
      <div className={styles.form}>
        {assigned.unmatched.length > 0 && (showAll || touched.size > 0) && (
          <div className={styles.top} role="status">
            {assigned.unmatched.map((problem, index) => (
              <ProblemText key={index} problem={problem} withPlace />
            ))}
          </div>
        )}
        {empty ? <p className={styles.dim}>{texts.form.noConfig}</p> : <FieldView field={form} bare />}
      </div>
    </FormContext>
  );
}
