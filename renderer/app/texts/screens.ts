export const screens = { topology: 'Topology', plugins: 'Plugins', live: 'Live' };
