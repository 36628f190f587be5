import { Anchor } from '@mantine/core';
import { IconHourglass } from '@tabler/icons-react';
import { Link } from 'wouter';
import { texts } from '../../app/texts.ts';
import { href } from '../../app/url-state.ts';
import { Since } from '../../components/since.tsx';
import { useBlocks } from './edge-word.tsx';
import styles from './spools.module.css';

const t = texts.spools;

/** For which sinks these pipelines wait, why and since when, each with a link to it. Nothing when they flow. */
export function BlockedNote({ pipelines }: { pipelines: readonly string[] }) {
  const blocks = useBlocks(pipelines);
  if (blocks.length === 0) return null;
  return (
    <ul className={styles.blocked}>
      {blocks.map(({ sink, cause, since, pipelines: waiting }) => (
        <li key={sink}>
          <IconHourglass size={15} aria-hidden />
          <span>
            {pipelines.length > 1 && <strong>{waiting.join(', ')}: </strong>}
            {t.waitsForIt}{' '}
            <Anchor component={Link} href={href('/topology', { select: sink })} inherit underline="always">
              {sink}
            </Anchor>
            : {t.causes[cause]}
            {since > 0 && (
              <>
                {' '}
                {t.since} <Since time={since} />
              </>
            )}
            .
          </span>
        </li>
      ))}
    </ul>
  );
}
