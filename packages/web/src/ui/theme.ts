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
    // Greys of the dark page, with a touch of the petrol.
    dark: [
      '#dbe4e7',
      '#c1cdd2',
      '#a7b5bc',
      '#7d8c93',
      '#3f4d54',
      '#323e44',
      '#263138',
      '#1a2226',
      '#141b1e',
      '#0e1416',
    ],
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
