// Before the first paint: the chosen theme, so that a dark panel never flashes white.
(() => {
  let chosen = 'auto';
  try {
    chosen = localStorage.getItem('patchbay-theme') ?? 'auto';
  } catch {
    // Storage is forbidden: follow the system.
  }
  const dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
