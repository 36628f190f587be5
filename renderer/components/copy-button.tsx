import { ActionIcon, Tooltip } from '@mantine/core';
import { IconCheck, IconCopy, IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { texts } from '../app/texts.ts';

/** Copies text. `label` says what, for the tooltip and for screen readers. */
export function CopyButton({ text, label }: { text: string | (() => string); label: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');
  useEffect(() => {
    if (state === 'idle') return;
    const timer = setTimeout(() => setState('idle'), 1_500);
    return () => clearTimeout(timer);
  }, [state]);
  const said = state === 'copied' ? texts.common.copied : state === 'failed' ? texts.common.copyFailed : label;
  const copy = (): void => {
    navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
      () => setState('copied'),
      () => setState('failed'),
    );
  };
  return (
    <Tooltip label={said}>
      <ActionIcon variant="subtle" color="gray" size="sm" aria-label={said} onClick={copy} data-copy-state={state}>
        {state === 'copied' ? (
          <IconCheck size={14} />
        ) : state === 'failed' ? (
          <IconX size={14} />
        ) : (
          <IconCopy size={14} />
        )}
      </ActionIcon>
    </Tooltip>
  );
}
