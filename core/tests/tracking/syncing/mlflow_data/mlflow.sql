BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('dc11669786a5');
CREATE TABLE "datasets" (
	dataset_uuid VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	digest VARCHAR(36) NOT NULL, 
	dataset_source_type VARCHAR(36) NOT NULL, 
	dataset_source TEXT NOT NULL, 
	dataset_schema TEXT, 
	dataset_profile TEXT, 
	CONSTRAINT dataset_pk PRIMARY KEY (experiment_id, name, digest), 
	CONSTRAINT fk_datasets_experiment_id_experiments FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "datasets" VALUES('d44746236787405ca881911371c6eb47',1,'grapes','cedb3233','code','{"tags": {"mlflow.user": "ann", "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}}','{"mlflow_colspec": [{"type": "double", "name": "acid", "required": true}, {"type": "long", "name": "good", "required": true}]}','{"num_rows": 2, "num_elements": 4}');
CREATE TABLE "experiment_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	experiment_id INTEGER NOT NULL, 
	CONSTRAINT experiment_tag_pk PRIMARY KEY ("key", experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id)
);
INSERT INTO "experiment_tags" VALUES('team','cellar',1);
CREATE TABLE "experiments" (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	artifact_location VARCHAR(256), 
	lifecycle_stage VARCHAR(32), 
	creation_time BIGINT, 
	last_update_time BIGINT, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT experiment_pk PRIMARY KEY (experiment_id), 
	CONSTRAINT experiments_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT uq_experiments_workspace_name UNIQUE (workspace, name)
);
INSERT INTO "experiments" VALUES(0,'Default','/somewhere/mlruns/0','active',1795267264361,1795267264361,'default');
INSERT INTO "experiments" VALUES(1,'wine','/somewhere/mlruns/1','active',1795267264426,1795267264426,'default');
INSERT INTO "experiments" VALUES(2,'thrown away','/somewhere/mlruns/2','deleted',1795267265804,1795267265831,'default');
CREATE TABLE input_tags (
	input_uuid VARCHAR(36) NOT NULL, 
	name VARCHAR(255) NOT NULL, 
	value VARCHAR(500) NOT NULL, 
	CONSTRAINT input_tags_pk PRIMARY KEY (input_uuid, name)
);
INSERT INTO "input_tags" VALUES('7a64706ac5774de196f94bdb4bf90acc','fold','1');
INSERT INTO "input_tags" VALUES('7a64706ac5774de196f94bdb4bf90acc','mlflow.data.context','training');
CREATE TABLE inputs (
	input_uuid VARCHAR(36) NOT NULL, 
	source_type VARCHAR(36) NOT NULL, 
	source_id VARCHAR(36) NOT NULL, 
	destination_type VARCHAR(36) NOT NULL, 
	destination_id VARCHAR(36) NOT NULL, step BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT inputs_pk PRIMARY KEY (source_type, source_id, destination_type, destination_id)
);
INSERT INTO "inputs" VALUES('7a64706ac5774de196f94bdb4bf90acc','DATASET','d44746236787405ca881911371c6eb47','RUN','2428d6bcb80649faa59f6e7ab95b9e95',0);
INSERT INTO "inputs" VALUES('f3b3b3c7a18a413797e1512f8454f475','RUN_INPUT','2428d6bcb80649faa59f6e7ab95b9e95','MODEL_INPUT','m-9b1409e6cd9145d1b08b3c73555af51f',0);
INSERT INTO "inputs" VALUES('bf85e34c5dbf41a8b3a6b72ac81125e6','RUN_OUTPUT','2428d6bcb80649faa59f6e7ab95b9e95','MODEL_OUTPUT','m-9b1409e6cd9145d1b08b3c73555af51f',4);
CREATE TABLE "latest_metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT, 
	step BIGINT NOT NULL, 
	is_nan BOOLEAN NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT latest_metric_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "latest_metrics" VALUES('loss',0.2,1795267264916,4,0,'2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "latest_metrics" VALUES('val/acc',-0.5,1795267264943,2,0,'2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "latest_metrics" VALUES('f1',0.9,1795267265035,1,0,'2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "latest_metrics" VALUES('loss',2.0,1795267265247,0,0,'8c56824c89414a549dcafd2fa1426071');
INSERT INTO "latest_metrics" VALUES('x',1.5,1795267265568,0,0,'c106c20c600f4c809b72fcabf9f14105');
CREATE TABLE logged_model_metrics (
	model_id VARCHAR(36) NOT NULL, 
	metric_name VARCHAR(500) NOT NULL, 
	metric_timestamp_ms BIGINT NOT NULL, 
	metric_step BIGINT NOT NULL, 
	metric_value FLOAT, 
	experiment_id INTEGER NOT NULL, 
	run_id VARCHAR(32) NOT NULL, 
	dataset_uuid VARCHAR(36), 
	dataset_name VARCHAR(500), 
	dataset_digest VARCHAR(36), 
	CONSTRAINT logged_model_metrics_pk PRIMARY KEY (model_id, metric_name, metric_timestamp_ms, metric_step, run_id), 
	CONSTRAINT fk_logged_model_metrics_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_metrics_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE, 
	CONSTRAINT fk_logged_model_metrics_run_id FOREIGN KEY(run_id) REFERENCES runs (run_uuid) ON DELETE CASCADE
);
INSERT INTO "logged_model_metrics" VALUES('m-9b1409e6cd9145d1b08b3c73555af51f','f1',1795267265035,1,0.9,1,'2428d6bcb80649faa59f6e7ab95b9e95',NULL,'grapes','cedb3233');
CREATE TABLE logged_model_params (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	param_key VARCHAR(255) NOT NULL, 
	param_value TEXT NOT NULL, 
	CONSTRAINT logged_model_params_pk PRIMARY KEY (model_id, param_key), 
	CONSTRAINT fk_logged_model_params_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_params_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_params" VALUES('m-9b1409e6cd9145d1b08b3c73555af51f',1,'trees','7');
CREATE TABLE logged_model_tags (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	tag_key VARCHAR(255) NOT NULL, 
	tag_value TEXT NOT NULL, 
	CONSTRAINT logged_model_tags_pk PRIMARY KEY (model_id, tag_key), 
	CONSTRAINT fk_logged_model_tags_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CONSTRAINT fk_logged_model_tags_model_id FOREIGN KEY(model_id) REFERENCES logged_models (model_id) ON DELETE CASCADE
);
INSERT INTO "logged_model_tags" VALUES('m-9b1409e6cd9145d1b08b3c73555af51f',1,'mlflow.user','ann');
INSERT INTO "logged_model_tags" VALUES('m-9b1409e6cd9145d1b08b3c73555af51f',1,'mlflow.source.name','train.py');
INSERT INTO "logged_model_tags" VALUES('m-9b1409e6cd9145d1b08b3c73555af51f',1,'mlflow.source.type','LOCAL');
INSERT INTO "logged_model_tags" VALUES('m-9b1409e6cd9145d1b08b3c73555af51f',1,'kind','small');
CREATE TABLE logged_models (
	model_id VARCHAR(36) NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	name VARCHAR(500) NOT NULL, 
	artifact_location VARCHAR(1000) NOT NULL, 
	creation_timestamp_ms BIGINT NOT NULL, 
	last_updated_timestamp_ms BIGINT NOT NULL, 
	status INTEGER NOT NULL, 
	lifecycle_stage VARCHAR(32), 
	model_type VARCHAR(500), 
	source_run_id VARCHAR(32), 
	status_message VARCHAR(1000), 
	CONSTRAINT logged_models_pk PRIMARY KEY (model_id), 
	CONSTRAINT logged_models_lifecycle_stage_check CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT fk_logged_models_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id) ON DELETE CASCADE
);
INSERT INTO "logged_models" VALUES('m-9b1409e6cd9145d1b08b3c73555af51f',1,'forest','/somewhere/mlruns/1/models/m-9b1409e6cd9145d1b08b3c73555af51f/artifacts',1795267264988,1795267265127,2,'active','classifier','2428d6bcb80649faa59f6e7ab95b9e95',NULL);
CREATE TABLE "metrics" (
	"key" VARCHAR(250) NOT NULL, 
	value FLOAT NOT NULL, 
	timestamp BIGINT NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	step BIGINT DEFAULT '0' NOT NULL, 
	is_nan BOOLEAN DEFAULT '0' NOT NULL, 
	CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid), 
	CHECK (is_nan IN (0, 1))
);
INSERT INTO "metrics" VALUES('loss',1.0,1795267264820,'2428d6bcb80649faa59f6e7ab95b9e95',0,0);
INSERT INTO "metrics" VALUES('loss',0.5,1795267264839,'2428d6bcb80649faa59f6e7ab95b9e95',1,0);
INSERT INTO "metrics" VALUES('loss',3.33333333333333314829e-01,1795267264874,'2428d6bcb80649faa59f6e7ab95b9e95',2,0);
INSERT INTO "metrics" VALUES('loss',0.25,1795267264892,'2428d6bcb80649faa59f6e7ab95b9e95',3,0);
INSERT INTO "metrics" VALUES('loss',0.2,1795267264916,'2428d6bcb80649faa59f6e7ab95b9e95',4,0);
INSERT INTO "metrics" VALUES('val/acc',0.0,1795267264930,'2428d6bcb80649faa59f6e7ab95b9e95',0,1);
INSERT INTO "metrics" VALUES('val/acc',-0.5,1795267264943,'2428d6bcb80649faa59f6e7ab95b9e95',2,0);
INSERT INTO "metrics" VALUES('f1',0.9,1795267265035,'2428d6bcb80649faa59f6e7ab95b9e95',1,0);
INSERT INTO "metrics" VALUES('loss',2.0,1795267265247,'8c56824c89414a549dcafd2fa1426071',0,0);
INSERT INTO "metrics" VALUES('x',1.5,1795267265568,'c106c20c600f4c809b72fcabf9f14105',0,0);
CREATE TABLE "model_version_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value TEXT, 
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_tag_pk PRIMARY KEY (workspace, "key", name, version), 
	CONSTRAINT fk_model_version_tags_model_versions FOREIGN KEY(workspace, name, version) REFERENCES model_versions (workspace, name, version) ON UPDATE CASCADE
);
INSERT INTO "model_version_tags" VALUES('n','1','wine',1,'default');
INSERT INTO "model_version_tags" VALUES('n','2','wine',2,'default');
INSERT INTO "model_version_tags" VALUES('n','3','wine',3,'default');
CREATE TABLE "model_versions" (
	name VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	user_id VARCHAR(256), 
	current_stage VARCHAR(20), 
	source VARCHAR(500), 
	run_id VARCHAR(32), 
	status VARCHAR(20), 
	status_message VARCHAR(500), 
	run_link VARCHAR(500), 
	storage_location VARCHAR(500), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT model_version_pk PRIMARY KEY (workspace, name, version), 
	CONSTRAINT fk_model_versions_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO "model_versions" VALUES('wine',1,1795267265916,1795267266296,'number 1',NULL,'Production','runs:/2428d6bcb80649faa59f6e7ab95b9e95/model1','2428d6bcb80649faa59f6e7ab95b9e95','READY',NULL,NULL,'runs:/2428d6bcb80649faa59f6e7ab95b9e95/model1','default');
INSERT INTO "model_versions" VALUES('wine',2,1795267265956,1795267266170,NULL,NULL,'Deleted_Internal','REDACTED-SOURCE-PATH','REDACTED-RUN-ID','READY',NULL,'REDACTED-RUN-LINK','runs:/2428d6bcb80649faa59f6e7ab95b9e95/model2','default');
INSERT INTO "model_versions" VALUES('wine',3,1795267266016,1795267266016,'number 3',NULL,'None','runs:/2428d6bcb80649faa59f6e7ab95b9e95/model3','2428d6bcb80649faa59f6e7ab95b9e95','READY',NULL,NULL,'runs:/2428d6bcb80649faa59f6e7ab95b9e95/model3','default');
CREATE TABLE "params" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000) NOT NULL, 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "params" VALUES('lr','0.1','2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "params" VALUES('deep/er','yes','2428d6bcb80649faa59f6e7ab95b9e95');
CREATE TABLE "registered_model_aliases" (
	alias VARCHAR(256) NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_alias_pk PRIMARY KEY (workspace, name, alias), 
	CONSTRAINT fk_registered_model_aliases_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON DELETE CASCADE ON UPDATE CASCADE
);
INSERT INTO "registered_model_aliases" VALUES('champion',3,'wine','default');
CREATE TABLE "registered_model_tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(5000), 
	name VARCHAR(256) NOT NULL, 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_tag_pk PRIMARY KEY (workspace, "key", name), 
	CONSTRAINT fk_registered_model_tags_registered_models FOREIGN KEY(workspace, name) REFERENCES registered_models (workspace, name) ON UPDATE CASCADE
);
INSERT INTO "registered_model_tags" VALUES('owner','ann','wine','default');
CREATE TABLE "registered_models" (
	name VARCHAR(256) NOT NULL, 
	creation_time BIGINT, 
	last_updated_time BIGINT, 
	description VARCHAR(5000), 
	workspace VARCHAR(63) DEFAULT 'default' NOT NULL, 
	CONSTRAINT registered_model_pk PRIMARY KEY (workspace, name)
);
INSERT INTO "registered_models" VALUES('wine',1795267265876,1795267266296,'reds','default');
INSERT INTO "registered_models" VALUES('empty',1795267266336,1795267266336,NULL,'default');
CREATE TABLE "runs" (
	run_uuid VARCHAR(32) NOT NULL, 
	name VARCHAR(250), 
	source_type VARCHAR(20), 
	source_name VARCHAR(500), 
	entry_point_name VARCHAR(50), 
	user_id VARCHAR(256), 
	status VARCHAR(9), 
	start_time BIGINT, 
	end_time BIGINT, 
	source_version VARCHAR(50), 
	lifecycle_stage VARCHAR(20), 
	artifact_uri VARCHAR(200), 
	experiment_id INTEGER, deleted_time BIGINT, 
	CONSTRAINT run_pk PRIMARY KEY (run_uuid), 
	CONSTRAINT runs_lifecycle_stage CHECK (lifecycle_stage IN ('active', 'deleted')), 
	CONSTRAINT source_type CHECK (source_type IN ('NOTEBOOK', 'JOB', 'LOCAL', 'UNKNOWN', 'PROJECT')), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (experiment_id), 
	CHECK (status IN ('SCHEDULED', 'FAILED', 'FINISHED', 'RUNNING', 'KILLED'))
);
INSERT INTO "runs" VALUES('2428d6bcb80649faa59f6e7ab95b9e95','first','UNKNOWN','','','ann','FINISHED',1795267264687,1795267265328,'','active','/somewhere/mlruns/1/2428d6bcb80649faa59f6e7ab95b9e95/artifacts',1,NULL);
INSERT INTO "runs" VALUES('8c56824c89414a549dcafd2fa1426071','child','UNKNOWN','','','ann','FINISHED',1795267265178,1795267265287,'','active','/somewhere/mlruns/1/8c56824c89414a549dcafd2fa1426071/artifacts',1,NULL);
INSERT INTO "runs" VALUES('2e940b65c25c493882457393a1767d44','broken','UNKNOWN','','','ann','FAILED',1795267265413,1795267265460,'','active','/somewhere/mlruns/1/2e940b65c25c493882457393a1767d44/artifacts',1,NULL);
INSERT INTO "runs" VALUES('c106c20c600f4c809b72fcabf9f14105','in Default','UNKNOWN','','','unknown','RUNNING',1795267265493,NULL,'','active','/somewhere/mlruns/0/c106c20c600f4c809b72fcabf9f14105/artifacts',0,NULL);
INSERT INTO "runs" VALUES('a8590ac6411348f38d06001d218fa7c7','gone','UNKNOWN','','','unknown','RUNNING',1795267265641,NULL,'','deleted','/somewhere/mlruns/0/a8590ac6411348f38d06001d218fa7c7/artifacts',0,1795267265770);
CREATE TABLE "tags" (
	"key" VARCHAR(250) NOT NULL, 
	value VARCHAR(8000), 
	run_uuid VARCHAR(32) NOT NULL, 
	CONSTRAINT tag_pk PRIMARY KEY ("key", run_uuid), 
	FOREIGN KEY(run_uuid) REFERENCES runs (run_uuid)
);
INSERT INTO "tags" VALUES('mlflow.user','ann','2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "tags" VALUES('mlflow.source.name','train.py','2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "tags" VALUES('mlflow.runName','first','2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "tags" VALUES('colour','red','2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "tags" VALUES('note','two
lines','2428d6bcb80649faa59f6e7ab95b9e95');
INSERT INTO "tags" VALUES('mlflow.user','ann','8c56824c89414a549dcafd2fa1426071');
INSERT INTO "tags" VALUES('mlflow.source.name','train.py','8c56824c89414a549dcafd2fa1426071');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','8c56824c89414a549dcafd2fa1426071');
INSERT INTO "tags" VALUES('mlflow.parentRunId','2428d6bcb80649faa59f6e7ab95b9e95','8c56824c89414a549dcafd2fa1426071');
INSERT INTO "tags" VALUES('mlflow.runName','child','8c56824c89414a549dcafd2fa1426071');
INSERT INTO "tags" VALUES('mlflow.user','ann','2e940b65c25c493882457393a1767d44');
INSERT INTO "tags" VALUES('mlflow.source.name','train.py','2e940b65c25c493882457393a1767d44');
INSERT INTO "tags" VALUES('mlflow.source.type','LOCAL','2e940b65c25c493882457393a1767d44');
INSERT INTO "tags" VALUES('mlflow.runName','broken','2e940b65c25c493882457393a1767d44');
INSERT INTO "tags" VALUES('mlflow.runName','in Default','c106c20c600f4c809b72fcabf9f14105');
INSERT INTO "tags" VALUES('mlflow.runName','gone','a8590ac6411348f38d06001d218fa7c7');
COMMIT;
