"""What scripts written for MLflow import works with ``dovetail`` in place of ``mlflow``.

``HERE`` is what there is, ``NOT_YET`` what such scripts may ask for and do not get so far. Whoever adds something moves
its name from the second table to the first.
"""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

HERE: dict[str, str] = {
    "dovetail": """
        ActiveRun MlflowClient MlflowException
        set_tracking_uri get_tracking_uri is_tracking_uri_set set_registry_uri get_registry_uri
        create_experiment set_experiment get_experiment get_experiment_by_name search_experiments delete_experiment
        restore_experiment set_experiment_tag set_experiment_tags delete_experiment_tag
        start_run end_run active_run last_active_run get_run get_parent_run delete_run restore_run search_runs
        log_param log_params log_metric log_metrics set_tag set_tags delete_tag
        log_artifact log_artifacts log_text log_dict log_figure get_artifact_uri
        flush_async_logging flush_artifact_async_logging
        log_input log_inputs log_outputs
        initialize_logged_model finalize_logged_model get_logged_model last_logged_model search_logged_models
        set_logged_model_tags delete_logged_model_tag log_model_params create_external_model set_active_model
        get_active_model_id clear_active_model import_checkpoints ActiveModel
        log_image log_table load_table log_stream Image
        register_model search_registered_models search_model_versions set_model_version_tag
        run doctor
        enable_system_metrics_logging disable_system_metrics_logging set_system_metrics_sampling_interval
        set_system_metrics_samples_before_logging set_system_metrics_node_id
        artifacts client config data entities exceptions models projects pyfunc sklearn system_metrics tracking types
        utils
    """,
    "dovetail.artifacts": "download_artifacts list_artifacts load_text load_dict load_image",
    "dovetail.client": "MlflowClient",
    "dovetail.config": """
        enable_async_logging set_tracking_uri get_tracking_uri is_tracking_uri_set set_registry_uri get_registry_uri
        enable_system_metrics_logging disable_system_metrics_logging set_system_metrics_sampling_interval
        set_system_metrics_samples_before_logging set_system_metrics_node_id
    """,
    "dovetail.data": """
        Dataset DatasetInput DatasetSource InputTag from_pandas from_numpy from_polars from_huggingface from_spark
        from_tensorflow load_delta get_source get_dataset_source_from_json get_registered_sources
    """,
    "dovetail.data.code_dataset_source": "CodeDatasetSource",
    "dovetail.data.dataset": "Dataset",
    "dovetail.data.dataset_source": "DatasetSource",
    "dovetail.data.dataset_source_registry": """
        get_dataset_source_from_json get_registered_sources resolve_dataset_source
    """,
    "dovetail.data.delta_dataset_source": "DeltaDatasetSource",
    "dovetail.data.filesystem_dataset_source": "FileSystemDatasetSource",
    "dovetail.data.http_dataset_source": "HTTPDatasetSource",
    "dovetail.data.huggingface_dataset": "HuggingFaceDataset from_huggingface",
    "dovetail.data.huggingface_dataset_source": "HuggingFaceDatasetSource",
    "dovetail.data.meta_dataset": "MetaDataset",
    "dovetail.data.numpy_dataset": "NumpyDataset from_numpy",
    "dovetail.data.pandas_dataset": "PandasDataset from_pandas",
    "dovetail.data.polars_dataset": "PolarsDataset from_polars",
    "dovetail.data.schema": "TensorDatasetSchema",
    "dovetail.data.sources": """
        CodeDatasetSource DeltaDatasetSource FileSystemDatasetSource HTTPDatasetSource HuggingFaceDatasetSource
        SparkDatasetSource
    """,
    "dovetail.data.spark_dataset": "SparkDataset from_spark load_delta",
    "dovetail.data.spark_dataset_source": "SparkDatasetSource",
    "dovetail.data.tensorflow_dataset": "TensorFlowDataset from_tensorflow",
    "dovetail.entities": """
        Dataset DatasetInput Experiment ExperimentTag FileInfo InputTag LifecycleStage
        LoggedModel LoggedModelInput LoggedModelOutput LoggedModelParameter LoggedModelStatus LoggedModelTag
        Metric Param Run RunData RunInfo RunInputs RunOutputs RunStatus RunTag SourceType ViewType
    """,
    "dovetail.entities.dataset": "Dataset",
    "dovetail.entities.dataset_input": "DatasetInput",
    "dovetail.entities.experiment": "Experiment",
    "dovetail.entities.experiment_tag": "ExperimentTag",
    "dovetail.entities.file_info": "FileInfo",
    "dovetail.entities.input_tag": "InputTag",
    "dovetail.entities.lifecycle_stage": "LifecycleStage",
    "dovetail.entities.logged_model": "LoggedModel",
    "dovetail.entities.logged_model_input": "LoggedModelInput",
    "dovetail.entities.logged_model_output": "LoggedModelOutput",
    "dovetail.entities.logged_model_parameter": "LoggedModelParameter",
    "dovetail.entities.logged_model_status": "LoggedModelStatus",
    "dovetail.entities.logged_model_tag": "LoggedModelTag",
    "dovetail.entities.metric": "Metric",
    "dovetail.entities.model_registry": """
        ModelVersion ModelVersionTag RegisteredModel RegisteredModelAlias RegisteredModelTag
    """,
    "dovetail.entities.model_registry.model_version": "ModelVersion",
    "dovetail.entities.model_registry.model_version_status": "ModelVersionStatus",
    "dovetail.entities.model_registry.model_version_tag": "ModelVersionTag",
    "dovetail.entities.model_registry.registered_model": "RegisteredModel",
    "dovetail.entities.model_registry.registered_model_alias": "RegisteredModelAlias",
    "dovetail.entities.model_registry.registered_model_tag": "RegisteredModelTag",
    "dovetail.entities.param": "Param",
    "dovetail.entities.run": "Run",
    "dovetail.entities.run_data": "RunData",
    "dovetail.entities.run_info": "RunInfo",
    "dovetail.entities.run_inputs": "RunInputs",
    "dovetail.entities.run_outputs": "RunOutputs",
    "dovetail.entities.run_status": "RunStatus",
    "dovetail.entities.run_tag": "RunTag",
    "dovetail.entities.source_type": "SourceType",
    "dovetail.entities.view_type": "ViewType",
    "dovetail.exceptions": "MlflowException RestException ExecutionException",
    "dovetail.models": "ModelSignature infer_signature get_model_info predict update_model_requirements",
    "dovetail.models.model": "ModelInfo get_model_info",
    "dovetail.models.signature": "ModelSignature infer_signature",
    "dovetail.projects": "run SubmittedRun",
    "dovetail.pyfunc": "load_model log_model save_model PythonModel PythonModelContext get_model_dependencies",
    "dovetail.sklearn": "load_model log_model save_model",
    "dovetail.system_metrics": """
        enable_system_metrics_logging disable_system_metrics_logging set_system_metrics_sampling_interval
        set_system_metrics_samples_before_logging set_system_metrics_node_id
    """,
    "dovetail.tracking": """
        MlflowClient set_tracking_uri get_tracking_uri is_tracking_uri_set set_registry_uri get_registry_uri
    """,
    "dovetail.tracking.client": "MlflowClient",
    "dovetail.tracking.fluent": "start_run end_run active_run log_metric log_param set_tag set_experiment search_runs",
    "dovetail.types": "ColSpec DataType ParamSchema ParamSpec Schema TensorSpec",
    "dovetail.types.schema": """
        AnyType Array ColSpec DataType Map Object ParamSchema ParamSpec Property Schema SparkMLVector TensorSpec
    """,
    "dovetail.utils.mlflow_tags": """
        MLFLOW_RUN_NAME MLFLOW_RUN_NOTE MLFLOW_PARENT_RUN_ID MLFLOW_USER MLFLOW_SOURCE_NAME MLFLOW_SOURCE_TYPE
        MLFLOW_GIT_COMMIT MLFLOW_GIT_BRANCH MLFLOW_GIT_REPO_URL MLFLOW_PROJECT_ENTRY_POINT MLFLOW_PROJECT_ENV
        MLFLOW_PROJECT_BACKEND MLFLOW_DOCKER_IMAGE_URI MLFLOW_DOCKER_IMAGE_ID MLFLOW_DATASET_CONTEXT
        MLFLOW_LOGGED_MODELS MLFLOW_AUTOLOGGING
    """,
}

METHODS: dict[str, str] = {
    "dovetail:MlflowClient": """
        create_experiment get_experiment get_experiment_by_name search_experiments rename_experiment delete_experiment
        restore_experiment set_experiment_tag delete_experiment_tag
        create_run get_run get_parent_run update_run set_terminated delete_run restore_run search_runs set_tag
        delete_tag log_metric log_param log_batch get_metric_history
        log_image log_table load_table log_stream
        log_inputs log_outputs
        create_logged_model get_logged_model finalize_logged_model delete_logged_model search_logged_models
        set_logged_model_tags delete_logged_model_tag log_model_params log_model_artifact log_model_artifacts
        list_logged_model_artifacts
        log_artifact log_artifacts log_text log_dict log_figure list_artifacts download_artifacts tracking_uri
    """,
    "dovetail.projects:SubmittedRun": "wait get_status cancel",
    "dovetail.entities:RunStatus": """
        from_string to_string is_terminated all_status RUNNING SCHEDULED FINISHED FAILED KILLED
    """,
    "dovetail.entities:ViewType": "from_string to_string ACTIVE_ONLY DELETED_ONLY ALL",
    "dovetail.entities:SourceType": "from_string to_string NOTEBOOK JOB PROJECT LOCAL UNKNOWN",
    "dovetail.entities:LifecycleStage": "ACTIVE DELETED",
    "dovetail.entities:LoggedModelStatus": "UNSPECIFIED PENDING READY FAILED",
    "dovetail.entities:Run": "to_dictionary",
    "dovetail.entities:RunData": "to_dictionary",
    "dovetail.exceptions:MlflowException": "error_code get_http_status_code serialize_as_json",
}

NOT_YET: dict[str, str] = {
    "dovetail": """
        evaluate validate_evaluation_results autolog
        trace start_span start_span_no_context get_current_active_span get_active_trace_id get_last_active_trace_id
        get_trace search_traces log_trace add_trace update_current_trace set_trace_tag delete_trace_tag
        flush_trace_async_logging log_assessment log_expectation log_feedback
        create_workspace get_workspace list_workspaces update_workspace delete_workspace set_workspace
        deployments
    """,
    "dovetail.entities": """
        Webhook WebhookEvent WebhookStatus WebhookTestResult Workspace
    """,
    "dovetail.models": """
        Model ModelConfig build_docker set_model set_signature validate_schema validate_serving_input
        convert_input_example_to_serving_input add_libraries_to_model infer_pip_requirements evaluate make_metric
        MetricThreshold EvaluationResult
    """,
    "dovetail.pyfunc": "PyFuncModel ModelConfig",
    "dovetail.sklearn": "autolog",
    "dovetail.types": "utils",
}

METHODS_NOT_YET: dict[str, str] = {
    "dovetail:MlflowClient": """
        create_webhook get_webhook list_webhooks update_webhook delete_webhook test_webhook
    """,
}


def run(script: str) -> None:
    """Run a script in a fresh interpreter, which nothing was imported in before."""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def members(place: str) -> object:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("module", HERE)
def test_each_name_is_there_by_import_and_by_attribute(module: str) -> None:
    names = HERE[module].split()
    path = module.replace("dovetail", "mlflow", 1)
    # By attribute first: the import statement must not be what makes it work.
    looks = "\n".join(f"{path}.{name}" for name in names)
    imports = "\n".join(f"from {module} import {name}\nassert {name} is {path}.{name}" for name in names)
    run(f"import dovetail as mlflow\n{looks}\n{imports}\nimport {module}")


@pytest.mark.parametrize("place", METHODS)
def test_each_class_has_what_scripts_call(place: str) -> None:
    missing = [name for name in METHODS[place].split() if not hasattr(members(place), name)]
    assert not missing


@pytest.mark.parametrize("module", NOT_YET)
def test_what_is_not_here_yet_is_absent(module: str) -> None:
    for name in NOT_YET[module].split():
        with pytest.raises(AttributeError, match=name):
            getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("name", NOT_YET["dovetail"].split())
def test_a_verb_that_is_not_here_yet_is_taken_for_no_other(name: str) -> None:
    with pytest.raises(AttributeError, match="not part of dovetail yet"):
        getattr(importlib.import_module("dovetail"), name)


@pytest.mark.parametrize("place", METHODS_NOT_YET)
def test_what_classes_do_not_have_yet_is_absent(place: str) -> None:
    found = [name for name in METHODS_NOT_YET[place].split() if hasattr(members(place), name)]
    assert not found, f"move {found} from METHODS_NOT_YET to METHODS"


def test_no_name_stands_in_both_tables() -> None:
    for there, not_there in ((HERE, NOT_YET), (METHODS, METHODS_NOT_YET)):
        for place in there.keys() & not_there.keys():
            assert not set(there[place].split()) & set(not_there[place].split()), place


def test_every_public_name_of_the_modules_with_mlflows_names_is_in_the_table() -> None:
    ours = {"dovetail.client": {"Client"}, "dovetail.types": {"schema"}}
    for module in ("client", "config", "data", "entities", "exceptions", "types", "types.schema"):
        full = f"dovetail.{module}"
        public = set(importlib.import_module(full).__all__)
        assert public - ours.get(full, set()) == set(HERE[full].split()), full


def test_importing_dovetail_imports_none_of_them() -> None:
    modules = [module for module in HERE if module != "dovetail"]
    run(f"import dovetail, sys\nloaded = set({modules}) & set(sys.modules)\nassert not loaded, loaded")


def test_importing_entities_is_light() -> None:
    heavy = {"asyncio", "numpy", "pandas", "pluggy", "sqlalchemy", "typer", "yaml"}
    run(f"import dovetail.entities, sys\nloaded = {heavy} & set(sys.modules)\nassert not loaded, loaded")
