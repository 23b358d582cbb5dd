/** How urgent a run is, the least urgent first. `normal` where nothing is said. */
export const priorities = ["low", "normal", "high"] as const;

export type Priority = (typeof priorities)[number];
