import { MantineProvider } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Controller } from '../control/controller.ts';
import { SignIn } from './sign-in.tsx';
import { ControllerProvider, useTieline } from './store.tsx';
import { theme } from './theme.ts';
import { Workspace } from './workspace.tsx';

export function App({ controller }: { readonly controller: Controller }): ReactNode {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto">
      <ControllerProvider controller={controller}>
        <Page />
      </ControllerProvider>
    </MantineProvider>
  );
}

function Page(): ReactNode {
  const { me } = useTieline();
  return me === null ? <SignIn /> : <Workspace />;
}
