import { createTheme } from '@mantine/core';

/** Petrol. White on shade 7 and dark text on shade 1 are both easily readable. */
export const theme = createTheme({
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: 'md',
  respectReducedMotion: true,
  cursorType: 'pointer',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  colors: {
    petrol: [
      '#e6f6f8',
      '#cdebf0',
      '#a3dae3',
      '#72c5d3',
      '#46adbe',
      '#2493a6',
      '#127c8f',
      '#0a6879',
      '#085462',
      '#063f4a',
    ],
  },
});
