-- A database of schema 1, as axdesk wrote it.
PRAGMA application_id=1635279987;
PRAGMA user_version=1;
PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE audit (
	id INTEGER NOT NULL, 
	experiment_id INTEGER NOT NULL, 
	trial_index INTEGER, 
	at VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	"before" VARCHAR NOT NULL, 
	"after" VARCHAR NOT NULL, 
	note VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "audit" VALUES(1,1,0,'2026-03-01T12:00:00.000000+00:00','enter_result','','1.5','read by hand');
CREATE TABLE drafts (
	experiment_id INTEGER NOT NULL, 
	section VARCHAR NOT NULL, 
	"row" INTEGER NOT NULL, 
	field VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	PRIMARY KEY (experiment_id, section, "row", field), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "drafts" VALUES(2,'general',0,'name','next');
INSERT INTO "drafts" VALUES(2,'general',0,'description','Ünits & labels');
INSERT INTO "drafts" VALUES(2,'general',0,'owner','Ada');
INSERT INTO "drafts" VALUES(2,'general',0,'plugin_folder','plugins');
INSERT INTO "drafts" VALUES(2,'parameters',0,'on','yes');
INSERT INTO "drafts" VALUES(2,'parameters',0,'name','x');
INSERT INTO "drafts" VALUES(2,'parameters',0,'unit','mm');
INSERT INTO "drafts" VALUES(2,'parameters',0,'low','0');
INSERT INTO "drafts" VALUES(2,'parameters',0,'high','1');
INSERT INTO "drafts" VALUES(2,'parameters',0,'kind','decimal');
INSERT INTO "drafts" VALUES(2,'parameters',1,'on','yes');
INSERT INTO "drafts" VALUES(2,'parameters',1,'name','n');
INSERT INTO "drafts" VALUES(2,'parameters',1,'low','1');
INSERT INTO "drafts" VALUES(2,'parameters',1,'high','9');
INSERT INTO "drafts" VALUES(2,'parameters',1,'kind','whole');
INSERT INTO "drafts" VALUES(2,'parameters',2,'on','yes');
INSERT INTO "drafts" VALUES(2,'parameters',2,'name','Lösung');
INSERT INTO "drafts" VALUES(2,'parameters',2,'kind','choice');
INSERT INTO "drafts" VALUES(2,'parameters',2,'choices','A; B');
INSERT INTO "drafts" VALUES(2,'objectives',0,'name','cost');
INSERT INTO "drafts" VALUES(2,'objectives',0,'unit','EUR');
INSERT INTO "drafts" VALUES(2,'objectives',0,'goal','minimise');
INSERT INTO "drafts" VALUES(2,'objectives',0,'metric','lab.py:Cost');
INSERT INTO "drafts" VALUES(2,'objectives',1,'name','dirt');
INSERT INTO "drafts" VALUES(2,'objectives',1,'goal','limit');
INSERT INTO "drafts" VALUES(2,'objectives',1,'limit_kind','<=');
INSERT INTO "drafts" VALUES(2,'objectives',1,'limit','2');
INSERT INTO "drafts" VALUES(2,'objectives',2,'name','temperature');
INSERT INTO "drafts" VALUES(2,'objectives',2,'goal','record');
INSERT INTO "drafts" VALUES(2,'constraints',0,'expression','x + n <= 8');
INSERT INTO "drafts" VALUES(2,'runner',0,'reference','lab.py:Lab');
INSERT INTO "drafts" VALUES(2,'runner',0,'option.port','COM1');
INSERT INTO "drafts" VALUES(2,'runner',0,'option.speed','2.5');
INSERT INTO "drafts" VALUES(2,'run',0,'max_trials','30');
INSERT INTO "drafts" VALUES(2,'run',0,'parallelism','1');
INSERT INTO "drafts" VALUES(2,'run',0,'tolerated_failure_percent','50');
INSERT INTO "drafts" VALUES(2,'run',0,'seconds_between_polls','1');
INSERT INTO "drafts" VALUES(2,'run',0,'seconds_between_launches','1');
INSERT INTO "drafts" VALUES(2,'run',0,'min_failed_trials','5');
INSERT INTO "drafts" VALUES(2,'run',0,'when_failure_rate_exceeded','drain');
INSERT INTO "drafts" VALUES(2,'run',0,'uncertain_deployment','ask');
INSERT INTO "drafts" VALUES(2,'run',0,'run_deadline','600');
INSERT INTO "drafts" VALUES(2,'run',0,'poll_deadline','120');
INSERT INTO "drafts" VALUES(2,'run',0,'fetch_deadline','120');
INSERT INTO "drafts" VALUES(2,'run',0,'stop_deadline','120');
INSERT INTO "drafts" VALUES(2,'run',0,'poll_retries','5');
INSERT INTO "drafts" VALUES(2,'run',0,'fetch_retries','5');
INSERT INTO "drafts" VALUES(2,'run',0,'max_seconds_between_polls','60');
INSERT INTO "drafts" VALUES(2,'run',0,'generation_time_limit','300');
INSERT INTO "drafts" VALUES(2,'run',0,'method','fast');
INSERT INTO "drafts" VALUES(2,'run',0,'initial_trials','5');
INSERT INTO "drafts" VALUES(2,'run',0,'start_at_center','yes');
INSERT INTO "drafts" VALUES(2,'run',0,'seed','0');
CREATE TABLE executed_parameters (
	experiment_id INTEGER NOT NULL, 
	trial_index INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	parameter VARCHAR NOT NULL, 
	value_type VARCHAR NOT NULL, 
	value BLOB, 
	PRIMARY KEY (experiment_id, trial_index, position), 
	FOREIGN KEY(experiment_id, trial_index) REFERENCES trials (experiment_id, trial_index) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "executed_parameters" VALUES(1,1,0,'x','float',0.3);
INSERT INTO "executed_parameters" VALUES(1,1,1,'n','int',2);
INSERT INTO "executed_parameters" VALUES(1,1,2,'Lösung','str','A');
CREATE TABLE experiments (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name VARCHAR, 
	description VARCHAR NOT NULL, 
	owner VARCHAR NOT NULL, 
	plugin_folder VARCHAR NOT NULL, 
	created_at VARCHAR NOT NULL, 
	updated_at VARCHAR NOT NULL, 
	UNIQUE (name)
);
INSERT INTO "experiments" VALUES(1,'coupling','Ünits & labels','Ada','plugins','2026-11-24T12:00:17.959111+00:00','2026-11-24T12:00:18.281912+00:00');
INSERT INTO "experiments" VALUES(2,NULL,'','','','2026-11-24T12:00:18.311420+00:00','2026-11-24T12:00:18.311420+00:00');
CREATE TABLE generation_settings (
	experiment_id INTEGER NOT NULL, 
	method VARCHAR NOT NULL, 
	initialization_budget INTEGER NOT NULL, 
	initialize_with_center BOOLEAN NOT NULL, 
	seed BLOB NOT NULL, 
	PRIMARY KEY (experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "generation_settings" VALUES(1,'fast',5,1,0);
CREATE TABLE metrics (
	experiment_id INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	is_tracking BOOLEAN NOT NULL, 
	unit VARCHAR, 
	unit_position INTEGER, 
	PRIMARY KEY (experiment_id, name), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "metrics" VALUES(1,'cost',0,0,'EUR',0);
INSERT INTO "metrics" VALUES(1,'dirt',1,0,NULL,NULL);
INSERT INTO "metrics" VALUES(1,'temperature',2,1,NULL,NULL);
CREATE TABLE objective_terms (
	experiment_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	metric VARCHAR NOT NULL, 
	coefficient DOUBLE NOT NULL, 
	PRIMARY KEY (experiment_id, position), 
	FOREIGN KEY(experiment_id, metric) REFERENCES metrics (experiment_id, name) ON DELETE CASCADE
);
INSERT INTO "objective_terms" VALUES(1,0,'cost',-1.0);
CREATE TABLE observations (
	experiment_id INTEGER NOT NULL, 
	trial_index INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	metric VARCHAR NOT NULL, 
	mean DOUBLE NOT NULL, 
	sem DOUBLE, 
	progression DOUBLE NOT NULL, 
	PRIMARY KEY (experiment_id, trial_index, position), 
	FOREIGN KEY(experiment_id, trial_index) REFERENCES trials (experiment_id, trial_index) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "observations" VALUES(1,0,0,'cost',1.5,0.1,0.0);
INSERT INTO "observations" VALUES(1,0,1,'dirt',1.0,NULL,0.0);
CREATE TABLE outcome_constraint_terms (
	experiment_id INTEGER NOT NULL, 
	constraint_position INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	metric VARCHAR NOT NULL, 
	coefficient DOUBLE NOT NULL, 
	PRIMARY KEY (experiment_id, constraint_position, position), 
	FOREIGN KEY(experiment_id, constraint_position) REFERENCES outcome_constraints (experiment_id, position) ON DELETE CASCADE, 
	FOREIGN KEY(experiment_id, metric) REFERENCES metrics (experiment_id, name) ON DELETE CASCADE
);
INSERT INTO "outcome_constraint_terms" VALUES(1,0,0,'dirt',1.0);
CREATE TABLE outcome_constraints (
	experiment_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	operator VARCHAR NOT NULL, 
	bound DOUBLE NOT NULL, 
	PRIMARY KEY (experiment_id, position), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "outcome_constraints" VALUES(1,0,'<=',2.0);
CREATE TABLE parameter_choices (
	experiment_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	parameter VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	value BLOB, 
	PRIMARY KEY (experiment_id, version, parameter, position), 
	FOREIGN KEY(experiment_id, version, parameter) REFERENCES parameters (experiment_id, version, name) ON DELETE CASCADE
);
INSERT INTO "parameter_choices" VALUES(1,1,'Lösung',0,'A');
INSERT INTO "parameter_choices" VALUES(1,1,'Lösung',1,'B');
CREATE TABLE parameter_constraint_terms (
	experiment_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	constraint_position INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	parameter VARCHAR NOT NULL, 
	coefficient DOUBLE NOT NULL, 
	PRIMARY KEY (experiment_id, version, constraint_position, position), 
	FOREIGN KEY(experiment_id, version, constraint_position) REFERENCES parameter_constraints (experiment_id, version, position) ON DELETE CASCADE, 
	FOREIGN KEY(experiment_id, version, parameter) REFERENCES parameters (experiment_id, version, name) ON DELETE CASCADE
);
INSERT INTO "parameter_constraint_terms" VALUES(1,1,0,0,'x',1.0);
INSERT INTO "parameter_constraint_terms" VALUES(1,1,0,1,'n',1.0);
CREATE TABLE parameter_constraints (
	experiment_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	operator VARCHAR NOT NULL, 
	bound DOUBLE NOT NULL, 
	PRIMARY KEY (experiment_id, version, position), 
	FOREIGN KEY(experiment_id, version) REFERENCES search_spaces (experiment_id, version) ON DELETE CASCADE
);
INSERT INTO "parameter_constraints" VALUES(1,1,0,'<=',8.0);
CREATE TABLE parameters (
	experiment_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	parameter_type VARCHAR NOT NULL, 
	low BLOB, 
	high BLOB, 
	scaling VARCHAR, 
	is_ordered BOOLEAN, 
	unit VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	start_value BLOB, 
	PRIMARY KEY (experiment_id, version, name), 
	FOREIGN KEY(experiment_id, version) REFERENCES search_spaces (experiment_id, version) ON DELETE CASCADE
);
INSERT INTO "parameters" VALUES(1,1,'x',0,'range','float',0.0,1.0,NULL,NULL,'mm','',NULL);
INSERT INTO "parameters" VALUES(1,1,'n',1,'range','int',1,9,NULL,NULL,'','',NULL);
INSERT INTO "parameters" VALUES(1,1,'Lösung',2,'choice','str',NULL,NULL,NULL,1,'','',NULL);
CREATE TABLE plugin_choices (
	experiment_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	metric VARCHAR, 
	reference VARCHAR NOT NULL, 
	PRIMARY KEY (experiment_id, position), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "plugin_choices" VALUES(1,0,'runner',NULL,'lab.py:Lab');
INSERT INTO "plugin_choices" VALUES(1,1,'metric','cost','lab.py:Cost');
CREATE TABLE plugin_options (
	experiment_id INTEGER NOT NULL, 
	choice_position INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	value_type VARCHAR NOT NULL, 
	value BLOB, 
	PRIMARY KEY (experiment_id, choice_position, name), 
	FOREIGN KEY(experiment_id, choice_position) REFERENCES plugin_choices (experiment_id, position) ON DELETE CASCADE
);
INSERT INTO "plugin_options" VALUES(1,0,'port',0,'str','COM1');
INSERT INTO "plugin_options" VALUES(1,0,'speed',1,'float',2.5);
CREATE TABLE predictions (
	experiment_id INTEGER NOT NULL, 
	trial_index INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	metric VARCHAR NOT NULL, 
	mean DOUBLE NOT NULL, 
	sem DOUBLE NOT NULL, 
	PRIMARY KEY (experiment_id, trial_index, position), 
	FOREIGN KEY(experiment_id, trial_index) REFERENCES trials (experiment_id, trial_index) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE run_plugin_files (
	experiment_id INTEGER NOT NULL, 
	run_index INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	PRIMARY KEY (experiment_id, run_index, position), 
	FOREIGN KEY(experiment_id, run_index) REFERENCES runs (experiment_id, run_index) ON DELETE CASCADE
);
INSERT INTO "run_plugin_files" VALUES(1,0,0,'lab.py','abababababababababababababababababababababababababababababababab');
CREATE TABLE run_settings (
	experiment_id INTEGER NOT NULL, 
	max_trials INTEGER NOT NULL, 
	parallelism INTEGER NOT NULL, 
	tolerated_trial_failure_rate DOUBLE NOT NULL, 
	initial_seconds_between_polls DOUBLE NOT NULL, 
	min_seconds_between_launches DOUBLE NOT NULL, 
	min_failed_trials INTEGER NOT NULL, 
	when_failure_rate_exceeded VARCHAR NOT NULL, 
	uncertain_deployment VARCHAR NOT NULL, 
	trial_time_limit DOUBLE, 
	run_time_limit DOUBLE, 
	run_deadline DOUBLE, 
	poll_deadline DOUBLE, 
	fetch_deadline DOUBLE, 
	stop_deadline DOUBLE, 
	poll_retries INTEGER NOT NULL, 
	fetch_retries INTEGER NOT NULL, 
	max_seconds_between_polls DOUBLE, 
	generation_time_limit DOUBLE, 
	PRIMARY KEY (experiment_id), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "run_settings" VALUES(1,30,1,0.5,1.0,1.0,5,'drain','ask',NULL,NULL,600.0,120.0,120.0,120.0,5,5,60.0,300.0);
CREATE TABLE runs (
	experiment_id INTEGER NOT NULL, 
	run_index INTEGER NOT NULL, 
	state VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	started_at VARCHAR, 
	ended_at VARCHAR, 
	elapsed_seconds DOUBLE NOT NULL, 
	controller VARCHAR NOT NULL, 
	max_trials INTEGER NOT NULL, 
	parallelism INTEGER NOT NULL, 
	tolerated_trial_failure_rate DOUBLE NOT NULL, 
	initial_seconds_between_polls DOUBLE NOT NULL, 
	min_seconds_between_launches DOUBLE NOT NULL, 
	min_failed_trials INTEGER NOT NULL, 
	when_failure_rate_exceeded VARCHAR NOT NULL, 
	uncertain_deployment VARCHAR NOT NULL, 
	trial_time_limit DOUBLE, 
	run_time_limit DOUBLE, 
	run_deadline DOUBLE, 
	poll_deadline DOUBLE, 
	fetch_deadline DOUBLE, 
	stop_deadline DOUBLE, 
	poll_retries INTEGER NOT NULL, 
	fetch_retries INTEGER NOT NULL, 
	max_seconds_between_polls DOUBLE, 
	generation_time_limit DOUBLE, 
	PRIMARY KEY (experiment_id, run_index), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "runs" VALUES(1,0,'stopped','',NULL,NULL,0.0,'',12,1,0.5,1.0,1.0,5,'drain','ask',NULL,NULL,600.0,120.0,120.0,120.0,5,5,60.0,300.0);
CREATE TABLE search_spaces (
	experiment_id INTEGER NOT NULL, 
	version INTEGER NOT NULL, 
	created_at VARCHAR NOT NULL, 
	PRIMARY KEY (experiment_id, version), 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "search_spaces" VALUES(1,1,'2026-11-24T12:00:17.959111+00:00');
CREATE TABLE trial_parameters (
	experiment_id INTEGER NOT NULL, 
	trial_index INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	parameter VARCHAR NOT NULL, 
	value_type VARCHAR NOT NULL, 
	value BLOB, 
	PRIMARY KEY (experiment_id, trial_index, position), 
	FOREIGN KEY(experiment_id, trial_index) REFERENCES trials (experiment_id, trial_index) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "trial_parameters" VALUES(1,0,0,'x','float',0.25);
INSERT INTO "trial_parameters" VALUES(1,0,1,'n','int',2);
INSERT INTO "trial_parameters" VALUES(1,0,2,'Lösung','str','A');
INSERT INTO "trial_parameters" VALUES(1,1,0,'x','float',0.25);
INSERT INTO "trial_parameters" VALUES(1,1,1,'n','int',2);
INSERT INTO "trial_parameters" VALUES(1,1,2,'Lösung','str','A');
INSERT INTO "trial_parameters" VALUES(1,2,0,'x','float',0.25);
INSERT INTO "trial_parameters" VALUES(1,2,1,'n','int',2);
INSERT INTO "trial_parameters" VALUES(1,2,2,'Lösung','str','A');
CREATE TABLE trials (
	experiment_id INTEGER NOT NULL, 
	trial_index INTEGER NOT NULL, 
	arm_name VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	run_index INTEGER, 
	search_space_version INTEGER NOT NULL, 
	may_have_started BOOLEAN NOT NULL, 
	is_excluded BOOLEAN NOT NULL, 
	note VARCHAR NOT NULL, 
	metadata_json VARCHAR, 
	staged_at VARCHAR, 
	started_at VARCHAR, 
	finished_at VARCHAR, 
	elapsed_seconds DOUBLE NOT NULL, 
	source VARCHAR NOT NULL, 
	model_best_mean DOUBLE, 
	model_best_sem DOUBLE, 
	acquisition_value DOUBLE, 
	fit_seconds DOUBLE NOT NULL, 
	search_seconds DOUBLE NOT NULL, 
	seed BLOB, 
	observed_trials INTEGER NOT NULL, 
	generation_reason VARCHAR NOT NULL, 
	PRIMARY KEY (experiment_id, trial_index), 
	FOREIGN KEY(experiment_id, search_space_version) REFERENCES search_spaces (experiment_id, version) ON DELETE CASCADE, 
	FOREIGN KEY(experiment_id, run_index) REFERENCES runs (experiment_id, run_index) ON DELETE CASCADE, 
	FOREIGN KEY(experiment_id) REFERENCES experiments (id) ON DELETE CASCADE
);
INSERT INTO "trials" VALUES(1,0,'0_0','completed','',0,1,0,0,'','{"file": "\u00b5.csv"}',NULL,'2026-03-01T12:00:00.000000+00:00','2026-03-01T12:00:00.000000+00:00',0.0,'sobol',NULL,NULL,NULL,0.0,0.0,NULL,0,'');
INSERT INTO "trials" VALUES(1,1,'1_0','running','',0,1,0,0,'','{"file": "1.csv"}',NULL,NULL,NULL,0.0,'sobol',NULL,NULL,NULL,0.0,0.0,NULL,0,'');
INSERT INTO "trials" VALUES(1,2,'2_0','failed','leak',0,1,0,0,'',NULL,NULL,NULL,NULL,0.0,'sobol',NULL,NULL,NULL,0.0,0.0,NULL,0,'');
CREATE INDEX audit_experiment ON audit (experiment_id, trial_index);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('experiments',2);
COMMIT;
