import type { ReactNode } from 'react';

/** Backticks set code, as writers of schemas do; everything stays text. */
export function withCode(text: string): ReactNode[] {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}
