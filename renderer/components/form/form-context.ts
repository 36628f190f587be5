/** What the controls of one form share. */
import { createContext, useContext } from 'react';
import type { Problem } from '../../../gateway-core/protocol/model.ts';
import type { Field } from './form-model.ts';
import type { FormProblems } from './problems.ts';
import type { Path } from './value-path.ts';

export interface FormApi {
  readonly disabled: boolean;
  readonly problems: FormProblems;
  /** As it was when the form opened: a secret that was set then is not shown. */
  readonly initial: unknown;
  readonly set: (path: Path, value: unknown) => void;
  readonly unset: (path: Path) => void;
  /** Takes another branch of a choice. */
  readonly choose: (field: Field, index: number, start: unknown) => void;
  /** The operator was here: what is wrong may be said. */
  readonly touch: (field: Field) => void;
  readonly problemsOf: (field: Field) => readonly Problem[];
  readonly idOf: (field: Field) => string;
}

export const FormContext = createContext<FormApi | undefined>(undefined);

export function useForm(): FormApi {
  const form = useContext(FormContext);
  if (form === undefined) throw new Error('Outside of a SchemaForm');
  return form;
}
