export const screens = { topology: 'Topology', plugins: 'Plugins', live: 'Live', deadLetters: 'Dead letters' };
