/** Every text of the panel, by area. English first; a translation replaces this object. */
import { common, session } from './texts/common.ts';
import { deadLetters } from './texts/dead-letters.ts';
import { firstRun } from './texts/first-run.ts';
import { form } from './texts/form.ts';
import { frame, palette, shortcuts } from './texts/frame.ts';
import { live } from './texts/live.ts';
import { plugins } from './texts/plugins.ts';
import { screens } from './texts/screens.ts';
import { topology } from './texts/topology.ts';

export const texts = {
  common,
  session,
  frame,
  palette,
  shortcuts,
  screens,
  firstRun,
  live,
  deadLetters,
  form,
  plugins,
  topology,
};
