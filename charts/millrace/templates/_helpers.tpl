{{- define "millrace.name" -}}
{{- if contains "millrace" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-millrace" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{/* Labels of one component: (dict "root" $ "component" "api") */}}
{{- define "millrace.selectorLabels" -}}
app.kubernetes.io/name: millrace
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Full name of an image: (dict "root" $ "image" .Values.image "tag" .Chart.AppVersion) */}}
{{- define "millrace.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.global.imageRegistry }}{{ $repository = printf "%s/%s" . $repository }}{{ end -}}
{{- if .image.digest }}{{ printf "%s@%s" $repository .image.digest }}{{ else }}{{ printf "%s:%s" $repository (.image.tag | default .tag) }}{{ end -}}
{{- end }}

{{- define "millrace.roleImage" -}}
{{ include "millrace.image" (dict "root" . "image" .Values.image "tag" .Chart.AppVersion) }}
{{- end }}

{{- define "millrace.databaseSecret" -}}
{{ .Values.database.existingSecret | default (printf "%s-database" (include "millrace.name" .)) }}
{{- end }}

{{- define "millrace.databaseEnv" -}}
- name: MILLRACE_DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "millrace.databaseSecret" . }}
      key: url
{{- end }}

{{/* Where files and large payloads are. The operator hands this on to runner pods. */}}
{{- define "millrace.objectStorageEnv" -}}
{{- with .Values.storage.s3 }}
{{- if .bucket }}
- name: MILLRACE_S3_BUCKET
  value: {{ .bucket | quote }}
- name: MILLRACE_S3_REGION
  value: {{ .region | quote }}
- name: MILLRACE_S3_ENDPOINT
  value: {{ .endpoint | quote }}
- name: MILLRACE_S3_PREFIX
  value: {{ .prefix | quote }}
- name: MILLRACE_S3_FORCE_PATH_STYLE
  value: {{ .forcePathStyle | quote }}
- name: MILLRACE_S3_PAYLOAD_BYTES
  value: {{ .payloadBytes | int64 | quote }}
{{- with .credentialsSecret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: {secretKeyRef: {name: {{ . }}, key: accessKeyId}}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ . }}, key: secretAccessKey}}
{{- end }}
{{- with .caSecret }}
- name: MILLRACE_S3_CA
  valueFrom: {secretKeyRef: {name: {{ . }}, key: ca.crt}}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "millrace.podEnv" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: MILLRACE_LOG_LEVEL
  value: {{ .Values.logLevel | quote }}
{{- with .Values.tracing.endpoint }}
# The operator hands these on to runner pods.
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ $.Values.tracing.ratio | quote }}
{{- end }}
{{- end }}

{{- define "millrace.baseUrl" -}}
{{- $port := int .Values.api.service.port -}}
{{ .Values.baseUrl | default (printf "http://%s-api.%s.svc%s" (include "millrace.name" .) .Release.Namespace (ternary "" (printf ":%d" $port) (eq $port 80))) }}
{{- end }}

{{/* Where pods of Container nodes get their files. */}}
{{- define "millrace.artifactsUrl" -}}
{{ .Values.containers.artifacts.url | default (printf "http://%s-artifacts.%s.svc" (include "millrace.name" .) .Release.Namespace) }}
{{- end }}

{{/* What Pod Security "restricted" asks of a pod, and what it asks of a container. */}}
{{- define "millrace.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
# Only a new volume is handed over: PostgreSQL refuses a data folder whose mode was widened.
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "millrace.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "millrace.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Where pods of a component run: (dict "root" $ "component" "api" "values" .Values.api) */}}
{{- define "millrace.placement" -}}
{{- with .values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{ include "millrace.selectorLabels" (dict "root" .root "component" .component) | nindent 8 }}
{{- end }}

{{/* Probes of a role whose health port is named "health". */}}
{{- define "millrace.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 1
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /healthz, port: health}
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  httpGet: {path: /readyz, port: health}
  periodSeconds: 1
  timeoutSeconds: 2
{{- end }}

{{/*
Roles of a component's ServiceAccount from a file of generated rules: (dict "root" $ "component" "operator" "rules" "files/….yaml"), with an
optional "suffix" where a component has several and "annotations". homeRole: in the release's namespace. clusterRole: everywhere. watchedRole: in
the namespaces that are looked after, or everywhere.
*/}}
{{- define "millrace.homeRole" -}}
{{- include "millrace.namespacedRole" (merge (dict "namespace" .root.Release.Namespace "name" (printf "%s-%s%s" (include "millrace.name" .root) .component (.suffix | default ""))) .) }}
{{- end }}

{{- define "millrace.watchedRole" -}}
{{- $context := . -}}
{{- if .root.Values.operator.namespaces }}
{{- range .root.Values.operator.namespaces }}
{{- include "millrace.namespacedRole" (merge (dict "namespace" . "name" (printf "%s-%s-%s" $context.root.Release.Namespace (include "millrace.name" $context.root) $context.component)) $context) }}
{{- end }}
{{- else }}
{{- include "millrace.clusterRole" . }}
{{- end }}
{{- end }}

{{- define "millrace.namespacedRole" }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels: {{ include "millrace.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
rules: {{ tpl (.root.Files.Get .rules) .root | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels: {{ include "millrace.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: {{ .name }}}
subjects:
  - {kind: ServiceAccount, name: {{ include "millrace.name" .root }}-{{ .component }}, namespace: {{ .root.Release.Namespace }}}
{{- end }}

{{- define "millrace.clusterRole" }}
{{- $name := printf "%s:%s-%s%s" .root.Release.Namespace (include "millrace.name" .root) .component (.suffix | default "") }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ $name }}
  labels: {{ include "millrace.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
rules: {{ tpl (.root.Files.Get .rules) .root | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ $name }}
  labels: {{ include "millrace.labels" . | nindent 4 }}
  {{- with .annotations }}
  annotations: {{ toYaml . | nindent 4 }}
  {{- end }}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {{ $name | quote }}}
subjects:
  - {kind: ServiceAccount, name: {{ include "millrace.name" .root }}-{{ .component }}, namespace: {{ .root.Release.Namespace }}}
{{- end }}

{{/* Who may ask for health and metrics: everybody, or the peers of networkPolicy.metricsFrom. Kubelets are let through by themselves. */}}
{{- define "millrace.healthIngress" -}}
- ports: [{port: health}]
  {{- with .Values.networkPolicy.metricsFrom }}
  from: {{ toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
