/** Mantine in our colours: its variables point at tokens.css, so both always agree. */
import {
  createTheme,
  defaultVariantColorsResolver,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';
import { texts } from './texts.ts';

const accent: MantineColorsTuple = [
  '#e4f0fd',
  '#cbe2fb',
  '#a5cdf8',
  '#82c0ff',
  '#5eaeff',
  '#2f8af0',
  '#0b62c4',
  '#0a58b0',
  '#084a94',
  '#063a75',
];

/** Mantine's greys of the dark theme, from text to ground, in our blue-grey. */
const dark: MantineColorsTuple = [
  '#e4e9ef',
  '#c3cbd5',
  '#9ea8b5',
  '#8f99a6',
  '#3a434f',
  '#2a313b',
  '#191e26',
  '#14181e',
  '#0d1014',
  '#08090c',
];

export const theme = createTheme({
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 4 },
  colors: { accent, dark },
  autoContrast: true,
  // Mantine reckons the contrast from the light theme's shade alone.
  variantColorResolver: (input) => {
    const colors = defaultVariantColorsResolver(input);
    const accented = (input.color ?? input.theme.primaryColor) === 'accent';
    if (input.variant !== 'filled') return colors;
    if (input.color === 'red') {
      return { ...colors, background: 'var(--bad)', hover: 'var(--bad-strong)', color: 'var(--on-bad)' };
    }
    return accented ? { ...colors, color: 'var(--on-accent)' } : colors;
  },
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: '12px', sm: '13px', md: '13px', lg: '14px', xl: '17px' },
  headings: { fontFamily: 'var(--font)' },
  defaultRadius: 'var(--radius)',
  respectReducedMotion: true,
  cursorType: 'pointer',
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 350, withArrow: false, fz: 12 } },
    Modal: {
      defaultProps: {
        centered: true,
        overlayProps: { backgroundOpacity: 0.45 },
        closeButtonProps: { 'aria-label': texts.common.close },
      },
    },
  },
});

const surfaces = {
  '--mantine-color-body': 'var(--panel)',
  '--mantine-color-text': 'var(--text)',
  '--mantine-color-dimmed': 'var(--dim)',
  '--mantine-color-placeholder': 'var(--faint)',
  '--mantine-color-default': 'var(--raised)',
  '--mantine-color-default-hover': 'var(--hover)',
  '--mantine-color-default-color': 'var(--text)',
  '--mantine-color-default-border': 'var(--line-strong)',
  '--mantine-color-error': 'var(--bad)',
  '--mantine-color-anchor': 'var(--accent)',
};

export const cssVariablesResolver: CSSVariablesResolver = () => ({ variables: {}, light: surfaces, dark: surfaces });
