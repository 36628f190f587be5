import { useState } from 'react';
import { clockSeconds, exactTime } from '../app/format.ts';
import { Ago } from './ago.tsx';

const DAY_MS = 86_400_000;

/** `12:53:43 (22 s ago)`: the time to look for in logs, and how long that is. Older than a day: with the date. */
export function Since({ time }: { time: number }) {
  const [shown] = useState(() => Date.now());
  const old = shown - time > DAY_MS;
  return (
    <>
      <span title={exactTime(time)}>{old ? exactTime(time).slice(0, 16) : clockSeconds(time)}</span> (
      <Ago time={time} />)
    </>
  );
}
