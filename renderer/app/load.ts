/** How worrying a share of time is: being busy is fine until there is little time left. */
export function loadTone(share: number): 'ok' | 'warn' | 'bad' {
  if (share < 0.75) return 'ok';
  return share < 0.9 ? 'warn' : 'bad';
}
