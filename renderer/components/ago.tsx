import { useEffect, useState } from 'react';
import { ago, exactTime } from '../app/format.ts';
import { texts } from '../app/texts.ts';

/** A relative time that keeps itself current; the exact one is in the hover. `time` 0: never. */
export function Ago({ time }: { time: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), Date.now() - time < 60_000 ? 1_000 : 15_000);
    return () => clearInterval(timer);
  }, [time]);
  if (time === 0) return <span>{texts.common.neverSeen}</span>;
  return (
    <time dateTime={new Date(time).toISOString()} title={exactTime(time)}>
      {ago(time, now)}
    </time>
  );
}
