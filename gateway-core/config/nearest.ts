import { distance } from 'fastest-levenshtein';

/** The candidate that `word` was most likely meant to be; undefined when none is close. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined;
  const asked = word.toLowerCase();
  // A third of the letters may be wrong: enough for typing errors, too little for another word.
  const limit = Math.max(1, Math.floor(Math.max(asked.length, 3) / 3) + (asked.length > 5 ? 1 : 0));
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - asked.length) > limit) continue;
    const away = distance(asked, candidate.toLowerCase());
    if (away < bestDistance) {
      best = candidate;
      bestDistance = away;
    }
  }
  return best;
}

/** `; did you mean 'x'?`, or nothing. */
export function hint(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === undefined ? '' : `; did you mean '${found}'?`;
}
