import '@mantine/core/styles.css';
import './ui/styles.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Controller } from './control/controller.ts';
import { memoryIn } from './control/memory.ts';
import { browserTimers } from './control/timers.ts';
import { App } from './ui/app.tsx';

const controller = new Controller({
  timers: browserTimers,
  memory: memoryIn(sessionStorage),
  newKey: () => crypto.getRandomValues(new Uint32Array(4)).join('-'),
  isLooking: () => document.visibilityState === 'visible' && document.hasFocus(),
});
window.addEventListener('focus', () => controller.wake());
window.addEventListener('online', () => controller.wake());
document.addEventListener('visibilitychange', () => controller.wake());

const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <App controller={controller} />
  </StrictMode>,
);
