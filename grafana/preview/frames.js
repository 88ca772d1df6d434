// Prometheus' answers as the data frames of Grafana's data source, with the settings a panel gives to its fields.

import {
  applyFieldOverrides,
  cacheFieldDisplayNames,
  FieldConfigOptionsRegistry,
  FieldType,
  standardTransformers,
  standardTransformersRegistry,
  transformDataFrame,
} from '@grafana/data';
import { mergeWith } from 'lodash';
import { lastValueFrom } from 'rxjs';

// Settings of a field that the JSON leaves out, as Grafana's plugins of the panels have them.
const THRESHOLDS = { mode: 'absolute', steps: [{ color: 'green', value: null }, { color: 'red', value: 80 }] };
const DEFAULTS = {
  timeseries: {
    color: { mode: 'palette-classic' },
    thresholds: THRESHOLDS,
    custom: {
      drawStyle: 'line', lineInterpolation: 'linear', lineWidth: 1, fillOpacity: 0, gradientMode: 'none',
      pointSize: 5, showPoints: 'auto', spanNulls: false, axisPlacement: 'auto', axisGridShow: true,
      scaleDistribution: { type: 'linear' }, stacking: { mode: 'none', group: 'A' },
      hideFrom: { legend: false, tooltip: false, viz: false }, thresholdsStyle: { mode: 'off' },
    },
  },
  stat: { color: { mode: 'thresholds' }, thresholds: THRESHOLDS, custom: {} },
  table: {
    color: { mode: 'thresholds' },
    thresholds: THRESHOLDS,
    custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false },
  },
};
const STANDARD = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue', 'color', 'thresholds', 'mappings', 'links'];
const TRANSFORMERS = [...new Set(Object.values(standardTransformers))];

standardTransformersRegistry.setInit(() =>
  TRANSFORMERS.map((each) => ({ ...each, transformation: async () => each }))
);

export function isTransformation(id) {
  return TRANSFORMERS.some((each) => each.id === id);
}

export async function framesOf(panel, theme, timeZone) {
  const tables = panel.answers.filter((answer) => answer.table).length;
  const raw = panel.answers.flatMap((answer) =>
    answer.table ? tableOf(answer, tables > 1) : answer.series.map((series) => curveOf(series, answer))
  );
  const wanted = (panel.transformations ?? []).filter((each) => !each.disabled);
  const data = raw.length ? await lastValueFrom(transformDataFrame(wanted, raw, { interpolate: (text) => text })) : [];
  const fieldConfig = configOf(panel);
  const frames = applyFieldOverrides({
    data, fieldConfig, theme, timeZone, fieldConfigRegistry: registryOf(fieldConfig), replaceVariables: (text) => text,
  });
  cacheFieldDisplayNames(frames);
  return frames;
}

export function configOf(panel) {
  const theirs = panel.fieldConfig ?? {};
  const replaced = (_, value) => (Array.isArray(value) ? value : undefined);
  const defaults = mergeWith({}, DEFAULTS[panel.type], theirs.defaults, replaced);
  // JSON has no -Infinity, from which the first colour counts.
  const steps = defaults.thresholds.steps.map((step) => ({ ...step, value: step.value ?? -Infinity }));
  return { defaults: { ...defaults, thresholds: { ...defaults.thresholds, steps } }, overrides: theirs.overrides ?? [] };
}

function registryOf({ defaults, overrides }) {
  const set = overrides.flatMap((each) => each.properties.map((property) => property.id));
  const custom = [...Object.keys(defaults.custom).map((key) => `custom.${key}`), ...set];
  return new FieldConfigOptionsRegistry(() =>
    [...new Set([...STANDARD, ...custom])].map((id) => ({
      id,
      name: id,
      path: id.replace(/^custom\./, ''),
      isCustom: id.startsWith('custom.'),
      process: (value) => value,
      shouldApply: () => true,
    }))
  );
}

function curveOf({ metric, values }, { refId, legend, step }) {
  const name = legendOf(legend, metric);
  return {
    refId,
    name,
    length: values.length,
    fields: [
      { name: 'Time', type: FieldType.time, config: { interval: 1000 * step }, values: values.map(([at]) => 1000 * at) },
      {
        name: 'Value',
        type: FieldType.number,
        labels: metric,
        config: name ? { displayNameFromDS: name } : {},
        values: values.map(([, value]) => finite(numberOf(value))),
      },
    ],
  };
}

function tableOf({ refId, series }, isOneOfMany) {
  if (!series.length) {
    return [];
  }
  const labels = [...new Set(series.flatMap((each) => Object.keys(each.metric)))].sort();
  const column = (name, type, value) => ({ name, type, config: {}, values: series.map(value) });
  const fields = [
    column('Time', FieldType.time, (each) => 1000 * each.value[0]),
    ...labels.map((name) => ({ ...column(name, FieldType.string, (each) => each.metric[name] ?? ''), config: { filterable: true } })),
    column(isOneOfMany ? `Value #${refId}` : 'Value', FieldType.number, (each) => numberOf(each.value[1])),
  ];
  return [{ refId, length: series.length, fields }];
}

function legendOf(legend, metric) {
  return legend === '__auto' ? undefined : legend.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => metric[name] ?? '');
}

// A curve is broken at what is no number, and an axis cannot reach it.
function finite(value) {
  return Number.isFinite(value) ? value : null;
}

function numberOf(text) {
  return Number(text.replace('Inf', 'Infinity'));
}
