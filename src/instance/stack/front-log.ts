/** Where the front notes what was asked for; the same in its container. */
export const FRONT_LOG_DIRECTORY = '/var/log/gce-registry';
