import { createContext, useContext, useSyncExternalStore, type ReactNode } from 'react';
import type { Controller } from '../control/controller.ts';
import type { State } from '../state/model.ts';

const ControllerContext = createContext<Controller | null>(null);

export function ControllerProvider(props: {
  readonly controller: Controller;
  readonly children: ReactNode;
}): ReactNode {
  return <ControllerContext value={props.controller}>{props.children}</ControllerContext>;
}

export function useController(): Controller {
  const controller = useContext(ControllerContext);
  if (controller === null) throw new Error('no controller above');
  return controller;
}

export function useTieline(): State {
  const controller = useController();
  return useSyncExternalStore(controller.subscribe, controller.getState);
}
