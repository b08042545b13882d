import { LabIcon } from '@jupyterlab/ui-components';

export const packageIcon = new LabIcon({
  name: 'nb2pkg:package',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24"><path class="jp-icon3" fill="#616161" ' +
    'd="M12 2 3 6.5v11L12 22l9-4.5v-11L12 2zm0 2.2 6 3-6 3-6-3 6-3zM5 8.8l6 3v7.4l-6-3V8.8zm8 10.4v-7.4l6-3v7.4l-6 3z"/></svg>'
});
